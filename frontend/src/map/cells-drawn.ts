// Keeps the map's cells in step with the store: outlines when they come, each cell's state when it changes, nothing otherwise.
// Things that take the place of cells fade in above them, so cells stay until that is done.
import type { GeoJSON } from "geojson";
import type { Map as GLMap } from "maplibre-gl";
import {
  cellAlarms,
  cellGround,
  cellState,
  worstOf,
  type Cells,
} from "./layers/cells";
import { FADE_MS } from "./layers/fleet";
import type { SourceName } from "./order";

const EMPTY: GeoJSON = { type: "FeatureCollection", features: [] };

export class CellsDrawn {
  #map: GLMap;
  #set: (name: SourceName, data: GeoJSON) => void;
  /** What each slot was told, packed: a cell that says the same again costs nothing. */
  #told = new Map<number, number>();
  #shape = 0;
  #alarms = "";
  #leave: ReturnType<typeof setTimeout> | null = null;
  #shown = false;

  constructor(map: GLMap, set: (name: SourceName, data: GeoJSON) => void) {
    this.#map = map;
    this.#set = set;
  }

  /** A new style knows no feature state. */
  restyled(): void {
    this.#told.clear();
  }

  update(cells: Cells, now: number, still: boolean): void {
    if (cells.size === 0) {
      if (this.#shown) this.#end(still ? 0 : FADE_MS);
      return;
    }
    if (this.#leave !== null) clearTimeout(this.#leave);
    this.#leave = null;
    if (cells.shape !== this.#shape || !this.#shown) {
      this.#shape = cells.shape;
      this.#map.removeFeatureState({ source: "cells" });
      this.#told.clear();
      this.#set("cells", cellGround(cells));
    }
    this.#shown = true;
    let alarms = "";
    cells.each((cell) => {
      const severity = worstOf(cell);
      if (severity !== "") alarms += `${cell.slot}${severity}`;
      const { count, age } = cellState(cell, now);
      const packed = count * 4 + age;
      if (this.#told.get(cell.slot) === packed) return;
      this.#told.set(cell.slot, packed);
      this.#map.setFeatureState(
        { source: "cells", id: cell.slot },
        { count, age },
      );
    });
    if (alarms === this.#alarms) return;
    this.#alarms = alarms;
    this.#set("cell-alarms", cellAlarms(cells));
  }

  stop(): void {
    if (this.#leave !== null) clearTimeout(this.#leave);
  }

  #end(ms: number): void {
    this.#leave ??= setTimeout(() => {
      this.#leave = null;
      this.#shown = false;
      this.#alarms = "";
      this.#told.clear();
      for (const name of ["cells", "cell-alarms", "cell-words"] as const) {
        this.#set(name, EMPTY);
      }
    }, ms);
  }
}
