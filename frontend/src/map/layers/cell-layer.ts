// Cells on the map: their ground, which is a layer like any other and is drawn with the map, at most once a second for what is told of it;
// and their severities, a part of the stage: a change of colour costs the map no frame. Things that take the place of cells fade in above
// them, so cells stay until that is done.
import type { CustomLayerInterface, Map as GLMap } from "maplibre-gl";
import { CellTools, type CellLook } from "./cell-gl";
import { CellRows } from "./cell-rows";
import type { Cells } from "./cells";
import { FADE_MS } from "./fleet";
import type { Part } from "./stage";

/** How many Things a cell has, and how old they are, may be drawn so late: that is a frame of the whole map. */
const GROUND_MS = 1_000;

export class CellLayer implements Part {
  /** Below the districts' edges. */
  readonly ground: CustomLayerInterface = {
    id: "cell-ground",
    type: "custom",
    renderingMode: "2d",
    render: (gl, input) => {
      this.#ground(gl, input.defaultProjectionData.mainMatrix);
    },
  };

  #cells: Cells;
  #look: CellLook;
  #soon: () => void;
  #gone: () => void;
  #map: GLMap | null = null;
  #unwatch: (() => void) | null = null;
  #now = 0;
  /** Cells say something else than what was last read, or it is later. */
  #behind = true;
  #tools: CellTools | null = null;
  #rows = new CellRows();
  #shape = 0;
  #shown = false;
  /** The graphics card has not been told of these. */
  #outlines = false;
  #states = false;
  #leave: ReturnType<typeof setTimeout> | null = null;
  #groundAt = -Infinity;
  #groundDue: ReturnType<typeof setTimeout> | null = null;

  /** `soon` asks for a frame of the stage; `gone` hears that the last cell has left the map. */
  constructor(
    cells: Cells,
    look: CellLook,
    soon: () => void,
    gone: () => void,
  ) {
    this.#cells = cells;
    this.#look = look;
    this.#soon = soon;
    this.#gone = gone;
  }

  added(map: GLMap): void {
    this.#map = map;
    this.#tools?.drop();
    this.#tools = null;
    this.#outlines = true;
    this.#states = true;
    this.#behind = true;
    this.#unwatch?.();
    this.#unwatch = this.#cells.watch(this.#heard);
  }

  removed(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#map = null;
    this.#tools?.drop();
    this.#tools = null;
  }

  /** Another wall size, theme or state of the connection; the style is made anew and adds the layers again. */
  dress(look: CellLook): void {
    this.#look = look;
  }

  #heard = () => {
    this.#behind = true;
    this.#soon();
  };

  /** The server's time, milliseconds since 1970: by it cells are fresh or silent. */
  tell(now: number): void {
    this.#now = now;
    if (this.#cells.size > 0) this.#heard();
  }

  prepare(gl: WebGL2RenderingContext): boolean {
    this.#sync();
    if (!this.#shown || this.#rows.alarms === 0) return false;
    this.#upload(gl);
    return true;
  }

  draw(_gl: WebGL2RenderingContext, map: GLMap, main: Float64Array): void {
    const ratio = map.getPixelRatio();
    this.#tools?.alarms(this.#rows, this.#look, ratio, main);
  }

  stop(): void {
    this.#unwatch?.();
    if (this.#leave !== null) clearTimeout(this.#leave);
    if (this.#groundDue !== null) clearTimeout(this.#groundDue);
  }

  #ground(gl: WebGL2RenderingContext, main: ArrayLike<number>): void {
    const map = this.#map;
    this.#sync(true);
    if (!map || !this.#shown) return;
    this.#groundAt = performance.now();
    const tools = this.#upload(gl);
    const ratio = map.getPixelRatio();
    const { anchorX, anchorY } = this.#rows;
    // The patterns go with the ground, not with the screen.
    const w =
      (main[3] ?? 0) * anchorX + (main[7] ?? 0) * anchorY + (main[15] ?? 1);
    const clip = (i: number) =>
      ((main[i] ?? 0) * anchorX +
        (main[4 + i] ?? 0) * anchorY +
        (main[12 + i] ?? 0)) /
      w;
    tools.ground(this.#rows, this.#look, ratio, main, [
      ((clip(0) + 1) / 2) * gl.drawingBufferWidth,
      ((clip(1) + 1) / 2) * gl.drawingBufferHeight,
    ]);
  }

  /** Brings the rows up to what the cells say; `drawing`: the ground is drawn right now. */
  #sync(drawing = false): void {
    if (!this.#behind) return;
    this.#behind = false;
    const cells = this.#cells;
    if (cells.size === 0) {
      if (this.#shown) this.#end(this.#look.still ? 0 : FADE_MS);
      return;
    }
    if (this.#leave !== null) clearTimeout(this.#leave);
    this.#leave = null;
    const others = cells.shape !== this.#shape || !this.#shown;
    if (others) {
      this.#shape = cells.shape;
      this.#shown = true;
      this.#rows.outline(cells);
      this.#outlines = true;
    }
    const { ground, alarms } = this.#rows.tell(cells, this.#now);
    if (ground || alarms || others) this.#states = true;
    if (drawing) return;
    if (others) this.#repaint();
    else if (ground) this.#repaintLater();
  }

  #upload(gl: WebGL2RenderingContext): CellTools {
    this.#tools ??= new CellTools(gl);
    if (this.#outlines) this.#tools.outline(this.#rows);
    if (this.#states) this.#tools.tell(this.#rows);
    this.#outlines = false;
    this.#states = false;
    return this.#tools;
  }

  #repaint(): void {
    if (this.#groundDue !== null) clearTimeout(this.#groundDue);
    this.#groundDue = null;
    this.#map?.triggerRepaint();
  }

  #repaintLater(): void {
    const wait = this.#groundAt + GROUND_MS - performance.now();
    if (wait <= 0) this.#repaint();
    else
      this.#groundDue ??= setTimeout(() => {
        this.#repaint();
      }, wait);
  }

  #end(ms: number): void {
    this.#leave ??= setTimeout(() => {
      this.#leave = null;
      this.#shown = false;
      this.#gone();
      this.#repaint();
    }, ms);
  }
}
