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
