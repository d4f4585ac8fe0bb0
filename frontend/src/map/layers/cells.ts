// Cells in place of crowds: their ground (observed, silent), how many Things are in them, and the severity of what is wrong there, which
// is repeated in size and outline (mock notes).
import type { FeatureCollection, Point } from "geojson";
import type { Severity } from "../../wire/wire";
import { prominence } from "../kinds";

export interface CellPart {
  layer: string;
  count: number;
  severity: Severity | "";
  observedAtMs: number;
  staleAtMs: number;
  unobserved: boolean;
}

export interface CellShape {
  slot: number;
  ring: Float64Array;
  stamp: number;
  layers: readonly CellPart[];
}

/** The part of the store that is read here. */
export interface Cells {
  readonly size: number;
  readonly stamp: number;
  readonly shape: number;
  each(run: (cell: CellShape) => void): void;
  /** Runs after each message that changed something, until the answer is called. */
  watch(run: () => void): () => void;
}

export interface CellState {
  count: number;
  /** 0 fresh, 1 past half of its time, 2 silent. */
  age: 0 | 1 | 2;
}

/** Worst first. */
export const SEVERITIES: readonly Severity[] = [
  "Extreme",
  "Severe",
  "Moderate",
  "Unknown",
  "Minor",
];
/** How much of its cell a severity fills (tokens.css --hex-N-k). */
export const HEX_K: Record<Severity, number> = {
  Extreme: 0.97,
  Severe: 0.9,
  Moderate: 0.66,
  Unknown: 0.46,
  Minor: 0.46,
};
const MOST_WORDS = 24;

/**
 * What a cell shows. It is silent where nothing in it is fresh, and also where its stations are silent while lamps and phones go on:
 * those do not watch the river.
 */
export function cellState(cell: CellShape, now: number): CellState {
  let count = 0;
  let stations = 0;
  let silentStations = 0;
  let heard = 0;
  let ageing = 0;
  for (const part of cell.layers) {
    const gone =
      part.unobserved || (part.staleAtMs > 0 && part.staleAtMs <= now);
    count += part.count;
    if (prominence(part.layer) === 0) {
      stations++;
      if (gone) silentStations++;
    }
    if (gone) continue;
    heard++;
    const half = (part.observedAtMs + part.staleAtMs) / 2;
    if (part.staleAtMs > 0 && half < now) ageing++;
  }
  const silent = heard === 0 || (stations > 0 && silentStations === stations);
  return { count, age: silent ? 2 : ageing === heard ? 1 : 0 };
}

/** The place of its worst in SEVERITIES, from 1 on; 0: none. */
export function worstOf(cell: CellShape): number {
  let worst = 0;
  for (const { severity } of cell.layers) {
    if (severity === "") continue;
    const rank = SEVERITIES.indexOf(severity) + 1;
    if (worst === 0 || rank < worst) worst = rank;
  }
  return worst;
}

/** The latest word from a cell, milliseconds since 1970; 0: none. */
export function heardAt(cell: CellShape): number {
  let latest = 0;
  for (const part of cell.layers) {
    latest = Math.max(latest, part.observedAtMs);
  }
  return latest;
}

/** The middle of its corners. */
function middle(ring: Float64Array): [number, number] {
  let x = 0;
  let y = 0;
  for (let i = 0; i < ring.length; i += 2) {
    x += (2 * (ring[i] ?? 0)) / ring.length;
    y += (2 * (ring[i + 1] ?? 0)) / ring.length;
  }
  return [x, y];
}

/** It has an outline. */
export const drawn = (cell: CellShape): boolean => cell.ring.length >= 6;

/** Words in silent cells, the longest silent first. */
export function cellWords(
  cells: Cells,
  now: number,
  words: (heardAtMs: number) => string,
): FeatureCollection<Point> {
  const silent: { cell: CellShape; at: number }[] = [];
  cells.each((cell) => {
    if (drawn(cell) && cellState(cell, now).age === 2) {
      silent.push({ cell, at: heardAt(cell) });
    }
  });
  silent.sort((a, b) => a.at - b.at);
  return {
    type: "FeatureCollection",
    features: silent.slice(0, MOST_WORDS).map(({ cell, at }, rank) => ({
      type: "Feature",
      properties: { label: words(at), rank },
      geometry: { type: "Point", coordinates: middle(cell.ring) },
    })),
  };
}

/** The cell under a place, or null. Cells are convex, but the plain even-odd rule is as short. */
export function cellUnder(
  cells: Cells,
  lng: number,
  lat: number,
): CellShape | null {
  let found: CellShape | null = null;
  cells.each((cell) => {
    if (found) return;
    const { ring } = cell;
    const n = ring.length / 2;
    let inside = false;
    for (let i = 0, j = n - 1; i < n; j = i++) {
      const xi = ring[2 * i] ?? 0;
      const yi = ring[2 * i + 1] ?? 0;
      const xj = ring[2 * j] ?? 0;
      const yj = ring[2 * j + 1] ?? 0;
      if (
        yi > lat !== yj > lat &&
        lng < ((xj - xi) * (lat - yi)) / (yj - yi) + xi
      )
        inside = !inside;
    }
    if (inside) found = cell;
  });
  return found;
}
