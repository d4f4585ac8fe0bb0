// Cells in place of crowds: one record for each cell in view, with what each layer says of it. Fed only by the live socket.
import type { CellSink } from "../wire/sinks";
import type { Severity } from "../wire/wire";
import type { Frame } from "./frame";

/** What one layer (a kind of Thing) says of a cell. */
export interface CellLayer {
  layer: string;
  count: number;
  /** The leading property; NaN: none. */
  value: number;
  severity: Severity | "";
  /** Milliseconds since 1970; 0: never, or not known. */
  observedAtMs: number;
  staleAtMs: number;
  observers: readonly string[];
  /** Things are there and none of them is fresh. */
  unobserved: boolean;
}

export interface HexCell {
  slot: number;
  /** The H3 index, in hexadecimal. */
  cell: string;
  resolution: number;
  /** lng, lat pairs in degrees. */
  ring: Float64Array;
  layers: CellLayer[];
  /** The stamp of the message that last changed it. */
  stamp: number;
}

export class Hexes implements CellSink {
  /** Grows once per frame in which something changed. */
  version = $state(0);
  /** Grows with every message. */
  stamp = 1;
  /** The stamp of the last message that brought an outline or dropped a cell. */
  shape = 1;

  #cells = new Map<number, HexCell>();
  #frame: Frame;
  #onDone: () => void;
  #changed = false;
  #watchers = new Set<() => void>();
  #show = () => {
    this.version++;
  };

  constructor(frame: Frame, onDone: () => void = () => undefined) {
    this.#frame = frame;
    this.#onDone = onDone;
  }

  /** Cells in view, those without any Thing left out. */
  get size(): number {
    return this.#cells.size;
  }

  get(slot: number): HexCell | undefined {
    return this.#cells.get(slot);
  }

  each(run: (cell: HexCell) => void): void {
    for (const cell of this.#cells.values()) run(cell);
  }

  /** Runs after each message that changed something: for the map, which draws as the screen is ready. Gives what ends it. */
  watch(run: () => void): () => void {
    this.#watchers.add(run);
    return () => {
      this.#watchers.delete(run);
    };
  }

  reset(): void {
    if (this.#cells.size === 0) return;
    this.#cells.clear();
    this.shape = this.stamp;
    this.#changed = true;
  }

  outline(
    slot: number,
    cell: string,
    resolution: number,
    ring: Float64Array,
  ): void {
    const known = this.#cells.get(slot);
    if (known?.cell === cell && known.ring.length > 0) return;
    // The reader may fill the same array again for the next cell.
    const own = ring.slice();
    const layers = known?.cell === "" ? known.layers : [];
    const stamp = this.stamp;
    this.#cells.set(slot, { slot, cell, resolution, ring: own, layers, stamp });
    this.shape = stamp;
    this.#changed = true;
  }

  cell(
    slot: number,
    layer: string,
    count: number,
    value: number,
    severity: Severity | "",
    observedAtMs: number,
    staleAtMs: number,
    observers: readonly string[],
    unobserved: boolean,
  ): void {
    let hex = this.#cells.get(slot);
    if (count === 0) {
      if (hex) this.#drop(hex, layer);
      return;
    }
    if (!hex) {
      // Its outline may stand further down in the same message.
      hex = {
        slot,
        cell: "",
        resolution: 0,
        ring: new Float64Array(0),
        layers: [],
        stamp: this.stamp,
      };
      this.#cells.set(slot, hex);
    }
    let found = hex.layers[0];
    if (found?.layer !== layer)
      found = hex.layers.find((l) => l.layer === layer);
    if (!found) {
      found = {
        layer,
        count,
        value,
        severity,
        observedAtMs,
        staleAtMs,
        observers,
        unobserved,
      };
      hex.layers.push(found);
    } else {
      found.count = count;
      found.value = value;
      found.severity = severity;
      found.observedAtMs = observedAtMs;
      found.staleAtMs = staleAtMs;
      found.observers = observers;
      found.unobserved = unobserved;
    }
    hex.stamp = this.stamp;
    this.#changed = true;
  }

  done(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.stamp++;
    this.#frame.soon(this.#show);
    for (const run of this.#watchers) run();
    this.#onDone();
  }

  #drop(hex: HexCell, layer: string): void {
    hex.layers = hex.layers.filter((l) => l.layer !== layer);
    hex.stamp = this.stamp;
    if (hex.layers.length === 0) {
      this.#cells.delete(hex.slot);
      this.shape = this.stamp;
    }
    this.#changed = true;
  }
}
