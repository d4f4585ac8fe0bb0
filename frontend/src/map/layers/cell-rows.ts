// Cells as the graphics card has them: outlines as triangles, written when they come, and what each cell shows as one texel, written when it
// changes. A change of colour moves no outline.
import { cellState, drawn, worstOf, type Cells } from "./cells";
import { mercatorX, mercatorY } from "./mercator";

/** Of one vertex: offset from the anchor (2), 1 on the rim and 0 in the middle, the cell's place among the texels. */
export const CELL_FLOATS = 4;
/** Texels of one row. */
export const ACROSS = 256;
/** A cell's lightness is kept in thousandths. */
export const THOUSAND = 1_000;
/** How much lighter the ground is where many Things are: by the natural logarithm of their number. */
const LIGHTER: readonly (readonly [ln: number, alpha: number])[] = [
  [0, 0],
  [2.3, 0.03],
  [4.6, 0.09],
  [7, 0.17],
];

/** Without a hue: a crowd is lighter ground. */
export function lightness(count: number): number {
  const ln = Math.log(Math.max(1, count));
  for (let i = 1; i < LIGHTER.length; i++) {
    const [x0, y0] = LIGHTER[i - 1] as readonly [number, number];
    const [x1, y1] = LIGHTER[i] as readonly [number, number];
    if (ln <= x1) return y0 + ((y1 - y0) * (ln - x0)) / (x1 - x0);
  }
  return LIGHTER.at(-1)?.[1] ?? 0;
}

/** Thousandths of what is few, which most cells have. */
const LIGHT = Uint8Array.from({ length: 256 }, (_, n) =>
  Math.round(lightness(n) * THOUSAND),
);

/** What a change asks for: cells are drawn twice, the ground below the districts' edges and severities above them. */
export interface Told {
  ground: boolean;
  alarms: boolean;
}

export class CellRows {
  vertices = new Float32Array(0);
  /** Vertices that are drawn. */
  count = 0;
  /** Severity (place in SEVERITIES, 1 on; 0 none), age, lightness, nothing. */
  texels = new Uint8Array(0);
  rows = 0;
  anchorX = 0;
  anchorY = 0;
  /** Cells with a severity. */
  alarms = 0;
  /** What the texels tell: up to which message, at what time. */
  #told = -1;
  #at = 0;

  /** Writes all outlines anew; what the cells show is not known until it is told. */
  outline(cells: Cells): void {
    let floats = 0;
    let n = 0;
    cells.each((cell) => {
      if (!drawn(cell)) return;
      if (n++ === 0) {
        this.anchorX = mercatorX(cell.ring[0] ?? 0);
        this.anchorY = mercatorY(cell.ring[1] ?? 0);
      }
      floats += (cell.ring.length / 2) * 3 * CELL_FLOATS;
    });
    if (this.vertices.length < floats) this.vertices = new Float32Array(floats);
    this.rows = Math.ceil(n / ACROSS);
    // No cell shows this: all of them are told.
    this.texels = new Uint8Array(this.rows * ACROSS * 4).fill(255);
    this.#told = -1;
    this.count = floats / CELL_FLOATS;
    const out = this.vertices;
    const corners: number[] = [];
    let at = 0;
    let index = 0;
    cells.each((cell) => {
      if (!drawn(cell)) return;
      const { ring } = cell;
      let cx = 0;
      let cy = 0;
      corners.length = 0;
      for (let i = 0; i < ring.length; i += 2) {
        const x = mercatorX(ring[i] ?? 0) - this.anchorX;
        const y = mercatorY(ring[i + 1] ?? 0) - this.anchorY;
        corners.push(x, y);
        cx += (2 * x) / ring.length;
        cy += (2 * y) / ring.length;
      }
      for (let i = 0; i < corners.length; i += 2) {
        const next = (i + 2) % corners.length;
        for (const [x = 0, y = 0, rim] of [
          [cx, cy, 0],
          [corners[i], corners[i + 1], 1],
          [corners[next], corners[next + 1], 1],
        ] as const) {
          out[at] = x;
          out[at + 1] = y;
          out[at + 2] = rim;
          out[at + 3] = index;
          at += CELL_FLOATS;
        }
      }
      index++;
    });
  }

  /** What the cells show at `now`, in the order of their outlines. */
  tell(cells: Cells, now: number): Told {
    const { texels } = this;
    // What has not changed since, at the same time, shows the same.
    const since = now === this.#at ? this.#told : -1;
    let ground = false;
    let changed = false;
    let alarms = 0;
    let at = 0;
    cells.each((cell) => {
      if (!drawn(cell)) return;
      if (cell.stamp < since) {
        if (texels[at] !== 0) alarms++;
        at += 4;
        return;
      }
      const severity = worstOf(cell);
      const { count, age } = cellState(cell, now);
      const light = LIGHT[count] ?? Math.round(lightness(count) * THOUSAND);
      if (severity > 0) alarms++;
      if (texels[at] !== severity) {
        texels[at] = severity;
        changed = true;
      }
      if (texels[at + 1] !== age || texels[at + 2] !== light) {
        texels[at + 1] = age;
        texels[at + 2] = light;
        ground = true;
      }
      at += 4;
    });
    this.alarms = alarms;
    this.#told = cells.stamp;
    this.#at = now;
    return { ground, alarms: changed };
  }
}
