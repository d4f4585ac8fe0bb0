// Where the hot frames of the live socket go: the reader calls these for each row, nothing is allocated in between.
import type { Quality, Severity } from "./wire";

export interface Announcement {
  id: string;
  feed: string;
  kind: string;
  name: string;
  attribution: string;
  simulated: boolean;
  /** From a word's time until it is stale, milliseconds; 0: not known. */
  staleMs: number;
}

/**
 * The moves of one frame in columns, as they came: numbers that mean "unknown" are named beside them. The columns are only good until
 * the call returns.
 */
export interface Moves {
  count: number;
  slots: Uint32Array;
  /** 1e-6 degrees; UNPLACED: it has no place. */
  lng: Int32Array;
  lat: Int32Array;
  /** 0.01 degrees and cm/s; UNKNOWN_16: unknown. null: unknown of all. */
  heading: Uint16Array | null;
  speed: Uint16Array | null;
  /** Milliseconds before baseMs; NEVER: no time is known. */
  ago: Uint32Array;
  baseMs: number;
}

export const UNPLACED = -0x80000000;
export const UNKNOWN_16 = 0xffff;
export const NEVER = 0xffffffff;

export interface ThingSink {
  /** A snapshot begins. */
  reset(): void;
  announce(slot: number, a: Announcement): void;
  /** NaN: unknown. */
  move(
    slot: number,
    lng: number,
    lat: number,
    heading: number,
    speed: number,
    atMs: number,
  ): void;
  /** As move() for each row; a sink that has it is asked this instead. */
  moves?(columns: Moves): void;
  value(
    slot: number,
    property: string,
    unit: string,
    value: number | string | boolean,
    atMs: number,
    quality: Quality,
  ): void;
  remove(slot: number): void;
  /** The message has been read. */
  done(): void;
}

export interface CellSink {
  reset(): void;
  /** The ring is lng,lat pairs in degrees. */
  outline(
    slot: number,
    cell: string,
    resolution: number,
    ring: Float64Array,
  ): void;
  /** count 0: drop it. */
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
  ): void;
  done(): void;
}
