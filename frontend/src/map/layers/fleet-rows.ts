// The fleet's columns as rows of one vertex buffer: offsets from an anchor (float32: less than a decimetre is lost), heading, the time
// at which it is stale, glyph and prominence. Only blocks that changed are written anew.
import { glyphCell } from "../icons";
import { prominence } from "../kinds";
import { mercatorNear, mercatorX, mercatorY, NEAR_DEGREES } from "./mercator";

/** The columns that are drawn; a structural part of the fleet, so that layers know no store. */
export interface Points {
  readonly size: number;
  readonly lng: Float64Array;
  readonly lat: Float64Array;
  readonly heading: Float32Array;
  readonly atMs: Float64Array;
  /** Milliseconds that a word holds; 0: not known, and then it holds for `unknownStaleMs`. */
  readonly staleMs: Float64Array;
  readonly unknownStaleMs: number;
  readonly kind: Uint16Array;
  readonly kinds: readonly string[];
  /** Kinds that are drawn and can be picked; null: every kind. A change of it is a change of every row. */
  readonly drawn: ReadonlySet<string> | null;
  /** Grows with every change; blocks[i] is the stamp of the last change among `block` Things from i * block on. */
  readonly stamp: number;
  readonly blocks: Uint32Array;
  readonly block: number;
  staleAt(index: number): number;
  indexOf(id: string): number;
  watch(run: () => void): () => void;
}

export const FLOATS = 5;
/** Drawn nowhere: a Thing without a place, or of a kind that is not shown. */
const NOWHERE = 9;
/** In place of a kind's look: it is not shown. */
const HIDDEN = 0xffffffff;
/** Beyond this many world widths from the anchor precision and the polynomial are worth a new one: 0.7 degrees. */
const ANCHOR_REACH = 0.002;

export class FleetRows {
  /** What the buffer holds, row by row; picking reads it too. */
  rows = new Float32Array(0);
  count = 0;
  anchorX = 0;
  anchorY = 0;
  /** Stale times are seconds from here, so that float32 keeps them to the tenth of a second. */
  clock = 0;

  /** The rows again, for the bytes of glyph and prominence. */
  #words = new Uint32Array(0);
  /** Glyph and prominence of each kind, as they lie in a row. */
  #looks = new Uint32Array(0);
  #anchorLng = 0;
  #anchorLat = 0;
  #near: [number, number, number, number] = [0, 0, 0, 0];
  #anchored = false;
  #seen = 0;
  #shown: ReadonlySet<string> | null = null;

  /** Only Things of these kinds have a place; null: of every kind. */
  limit(kinds: ReadonlySet<string> | null): void {
    if (kinds === this.#shown) return;
    this.#shown = kinds;
    this.#looks = new Uint32Array(0);
    // Nothing of what was shown stays, not even to fade.
    this.count = 0;
    this.#seen = 0;
  }

  /** Every row is written anew by the next sync. */
  forget(): void {
    this.#seen = 0;
  }

  /** What is drawn stands for what `points` say now. */
  take(points: Points): void {
    this.#seen = points.stamp;
  }

  behind(points: Points): boolean {
    return points.stamp !== this.#seen;
  }

  /** Brings the rows up to date; `changed` hears which of them were written. */
  sync(
    points: Points,
    centre: { lng: number; lat: number },
    now: number,
    changed: (from: number, to: number) => void,
  ): void {
    this.#fit(points, centre, now);
    const from = this.#seen;
    const { block, size } = points;
    this.count = size;
    const blocks = Math.ceil(size / block);
    let run = -1;
    for (let b = 0; b <= blocks; b++) {
      if (b < blocks && (points.blocks[b] ?? 0) >= from) {
        if (run < 0) run = b;
      } else if (run >= 0) {
        const to = Math.min(size, b * block);
        this.#fill(points, run * block, to);
        changed(run * block, to);
        run = -1;
      }
    }
    this.#seen = points.stamp;
  }

  /** Room for every Thing, and an anchor near them. */
  #fit(p: Points, centre: { lng: number; lat: number }, now: number): void {
    if (p.size * FLOATS > this.rows.length) {
      let room = Math.max(256, this.rows.length / FLOATS);
      while (room < p.size) room *= 2;
      this.rows = new Float32Array(room * FLOATS);
      this.#words = new Uint32Array(this.rows.buffer);
      this.#seen = 0;
    }
    const x = mercatorX(centre.lng);
    const y = mercatorY(centre.lat);
    const far = Math.max(
      Math.abs(x - this.anchorX),
      Math.abs(y - this.anchorY),
    );
    if (this.#anchored && far < ANCHOR_REACH) return;
    this.anchorX = x;
    this.anchorY = y;
    this.#anchorLng = centre.lng;
    this.#anchorLat = centre.lat;
    this.#near = mercatorNear(centre.lat);
    this.#anchored = true;
    this.clock = now;
    this.#seen = 0;
  }

  #fill(p: Points, from: number, to: number): void {
    if (this.#looks.length < p.kinds.length) this.#learn(p.kinds);
    const { rows, anchorY, clock } = this;
    const words = this.#words;
    const looks = this.#looks;
    const lng0 = this.#anchorLng;
    const lat0 = this.#anchorLat;
    const [a, b, c, d] = this.#near;
    const { lng, lat, heading, atMs, staleMs, kind, unknownStaleMs } = p;
    for (let i = from, at = from * FLOATS; i < to; i++, at += FLOATS) {
      const x = (lng[i] as number) - lng0;
      const y = (lat[i] as number) - lat0;
      const look = looks[kind[i] as number] as number;
      if (x === x && y === y && look !== HIDDEN) {
        rows[at] = x / 360;
        rows[at + 1] =
          y < NEAR_DEGREES && y > -NEAR_DEGREES
            ? y * (a + y * (b + y * (c + y * d)))
            : mercatorY(y + lat0) - anchorY;
      } else {
        rows[at] = NOWHERE;
        rows[at + 1] = NOWHERE;
      }
      const turn = heading[i] as number;
      rows[at + 2] = turn === turn ? turn : -1;
      const holds = staleMs[i] as number;
      rows[at + 3] =
        ((atMs[i] as number) + (holds > 0 ? holds : unknownStaleMs) - clock) /
        1000;
      words[at + 4] = look;
    }
  }

  #learn(kinds: readonly string[]): void {
    const bytes = new Uint8Array(kinds.length * 4);
    kinds.forEach((kind, i) => {
      bytes[i * 4] = glyphCell(kind);
      bytes[i * 4 + 1] = prominence(kind);
    });
    this.#looks = new Uint32Array(bytes.buffer);
    const shown = this.#shown;
    kinds.forEach((kind, i) => {
      if (shown && !shown.has(kind)) this.#looks[i] = HIDDEN;
    });
  }

  /** The nearest Thing within `reach` world widths of a place, or -1. */
  pick(lng: number, lat: number, reach: number): number {
    const x = mercatorX(lng) - this.anchorX;
    const y = mercatorY(lat) - this.anchorY;
    let best = reach * reach;
    let found = -1;
    const { rows } = this;
    for (let i = 0, at = 0; i < this.count; i++, at += FLOATS) {
      const dx = (rows[at] as number) - x;
      const dy = (rows[at + 1] as number) - y;
      const far = dx * dx + dy * dy;
      if (far <= best) {
        best = far;
        found = i;
      }
    }
    return found;
  }

  /** How many of each prominence lie in a box of degrees, added to `ranks`. */
  countIn(
    [w, s, e, n]: readonly [number, number, number, number],
    ranks: Uint32Array,
  ): void {
    const west = mercatorX(w) - this.anchorX;
    const east = mercatorX(e) - this.anchorX;
    const north = mercatorY(n) - this.anchorY;
    const south = mercatorY(s) - this.anchorY;
    const { rows } = this;
    const bytes = new Uint8Array(rows.buffer);
    for (let i = 0, k = 0; i < this.count; i++, k += FLOATS) {
      const x = rows[k] as number;
      const y = rows[k + 1] as number;
      if (x < west || x > east || y < north || y > south) continue;
      const rank = bytes[(k + 4) * 4 + 1] as number;
      ranks[rank] = (ranks[rank] as number) + 1;
    }
  }
}
