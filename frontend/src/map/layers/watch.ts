// What Things observe: near a fresh one the ground is shown as observed, where all are silent it is hatched, everywhere else nobody
// looks. A place is never drawn calm without a live observation. Things are gathered into hexagons of about 2.8 square kilometres, so
// that fifty thousand cost no more than the ground they stand on.
import type { Feature, FeatureCollection, Polygon, Position } from "geojson";
import { prominence } from "../kinds";

/** The part of the fleet that is read here. */
export interface Watchers {
  readonly size: number;
  readonly lng: Float64Array;
  readonly lat: Float64Array;
  readonly kind: Uint16Array;
  readonly kinds: readonly string[];
  staleAt(index: number): number;
}

/** Edge of a hexagon in metres: with its six neighbours it covers what a station is taken to observe, a disc of 2.5 km. */
const EDGE_M = 1_040;
const METRES_PER_DEGREE = 111_195;
const SQRT3 = Math.sqrt(3);

const FRESH = 1;
const STALE = 2;
const NEAR_FRESH = 4;
const NEAR_STALE = 8;
const STATION_FRESH = 16;
const STATION_STALE = 32;
const NEIGHBOURS: readonly [number, number][] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, -1],
  [-1, 1],
];
const HALF = 32_768;
const WIDE = 65_536;

export interface Counted {
  /** Things with a place, and how many of them are fresh. */
  placed: number;
  fresh: number;
}

/** Holds the ground's last state and tells when it changed. */
export class Ground {
  #cells = new Map<number, number>();
  #seen = new Map<number, number>();
  #key = "";
  #perLng = METRES_PER_DEGREE;
  #anchored = false;
  counted: Counted = { placed: 0, fresh: 0 };
  /** One fresh Thing of each hexagon that has one. */
  watchers: { lng: number; lat: number }[] = [];

  /** The observed and the silent ground at `now`, or null where nothing changed since the last answer. */
  update(things: Watchers, now: number): FeatureCollection<Polygon> | null {
    this.#gather(things, now);
    this.#spread();
    let sum = 0;
    let mix = 0;
    for (const [key, bits] of this.#cells) {
      const state = settle(bits);
      sum += key * state;
      mix ^= (key * 31 + state * 7) | 0;
    }
    const key = `${this.#cells.size} ${sum} ${mix}`;
    if (key === this.#key) return null;
    this.#key = key;
    this.watchers = [...this.#seen.values()].map((i) => ({
      lng: things.lng[i] ?? 0,
      lat: things.lat[i] ?? 0,
    }));
    return this.#draw();
  }

  /** Forgets what was drawn: the next update answers in full. */
  reset(): void {
    this.#key = "";
  }

  #gather(things: Watchers, now: number): void {
    this.#cells.clear();
    this.#seen.clear();
    let placed = 0;
    let fresh = 0;
    const stations = things.kinds.map((kind) => prominence(kind) === 0);
    for (let i = 0; i < things.size; i++) {
      const lng = things.lng[i] ?? Number.NaN;
      const lat = things.lat[i] ?? Number.NaN;
      if (Number.isNaN(lng) || Number.isNaN(lat)) continue;
      if (!this.#anchored) {
        this.#perLng =
          METRES_PER_DEGREE * Math.cos((Math.round(lat) * Math.PI) / 180);
        this.#anchored = true;
      }
      placed++;
      const key = this.#keyOf(lng, lat);
      const alive = things.staleAt(i) > now;
      const bits = this.#cells.get(key) ?? 0;
      if (alive) fresh++;
      if (alive && (bits & FRESH) === 0) this.#seen.set(key, i);
      let next = bits | (alive ? FRESH : STALE);
      if (stations[things.kind[i] ?? 0]) {
        next |= alive ? STATION_FRESH : STATION_STALE;
      }
      if (next !== bits) this.#cells.set(key, next);
    }
    this.counted = { placed, fresh };
  }

  /** Stations observe the hexagons around them too; what moves or is many only its own. */
  #spread(): void {
    const stations = [...this.#cells].filter(
      ([, bits]) => bits & (STATION_FRESH | STATION_STALE),
    );
    for (const [key, bits] of stations) {
      const near = bits & STATION_FRESH ? NEAR_FRESH : NEAR_STALE;
      for (const [dq, dr] of NEIGHBOURS) {
        const to = key + dq * WIDE + dr;
        this.#cells.set(to, (this.#cells.get(to) ?? 0) | near);
      }
    }
  }

  #keyOf(lng: number, lat: number): number {
    const x = (lng * this.#perLng) / EDGE_M;
    const y = (lat * METRES_PER_DEGREE) / EDGE_M;
    const q = (SQRT3 / 3) * x - y / 3;
    const r = (2 / 3) * y;
    // Cube rounding.
    let rq = Math.round(q);
    let rr = Math.round(r);
    const rs = Math.round(-q - r);
    const dq = Math.abs(rq - q);
    const dr = Math.abs(rr - r);
    const ds = Math.abs(rs + q + r);
    if (dq > dr && dq > ds) rq = -rr - rs;
    else if (dr > ds) rr = -rq - rs;
    return (rq + HALF) * WIDE + rr + HALF;
  }

  /** Hexagons of one state that touch in a row become one polygon. */
  #draw(): FeatureCollection<Polygon> {
    const rows = new Map<number, number[]>();
    for (const [key, bits] of this.#cells) {
      const q = Math.floor(key / WIDE) - HALF;
      const r = (key % WIDE) - HALF;
      // Two rows for each r: odd numbers are the silent ones.
      const row = r * 2 + (settle(bits) === STALE ? 1 : 0);
      const list = rows.get(row);
      if (list) list.push(q);
      else rows.set(row, [q]);
    }
    const features: Feature<Polygon>[] = [];
    for (const [row, list] of rows) {
      list.sort((a, b) => a - b);
      const silent = row % 2 !== 0;
      const r = (row - (silent ? 1 : 0)) / 2;
      let from = 0;
      for (let i = 1; i <= list.length; i++) {
        if (i < list.length && list[i] === (list[i - 1] ?? 0) + 1) continue;
        features.push(
          this.#strip(list[from] ?? 0, list[i - 1] ?? 0, r, silent),
        );
        from = i;
      }
    }
    return { type: "FeatureCollection", features };
  }

  #strip(
    first: number,
    last: number,
    r: number,
    silent: boolean,
  ): Feature<Polygon> {
    const ring: Position[] = [];
    const half = SQRT3 / 2;
    const corner = (q: number, dx: number, dy: number) => {
      const x = (SQRT3 * (q + r / 2) + dx) * EDGE_M;
      const y = (1.5 * r + dy) * EDGE_M;
      ring.push([x / this.#perLng, y / METRES_PER_DEGREE]);
    };
    for (let q = first; q <= last; q++) {
      corner(q, -half, -0.5);
      corner(q, 0, -1);
    }
    corner(last, half, -0.5);
    corner(last, half, 0.5);
    for (let q = last; q >= first; q--) {
      corner(q, 0, 1);
      corner(q, -half, 0.5);
    }
    ring.push(ring[0] ?? [0, 0]);
    return {
      type: "Feature",
      properties: { state: silent ? "stale" : "fresh" },
      geometry: { type: "Polygon", coordinates: [ring] },
    };
  }
}

/** FRESH or STALE. A station's silence is not covered up by a lamp that still burns beside it. */
function settle(bits: number): number {
  if (bits & STATION_FRESH) return FRESH;
  if (bits & STATION_STALE) return STALE;
  if (bits & FRESH) return FRESH;
  if (bits & STALE) return STALE;
  return bits & NEAR_FRESH ? FRESH : STALE;
}
