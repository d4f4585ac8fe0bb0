// What is observed now, worked out at a slow pace from whatever is in view: the ground, the words beside what is silent, the counts.
import type { FeatureCollection } from "geojson";
import { untrack } from "svelte";
import { cellState, cellWords } from "../../map/layers/cells";
import { thingWords } from "../../map/layers/things";
import { Ground, type Counted } from "../../map/layers/watch";
import type { Room } from "../../stores/room.svelte";
import { watchedDistricts, type Watched } from "./watched";

export interface Words {
  thing: (index: number) => string;
  /** Milliseconds since 1970 of a cell's latest word; 0: it never had one. */
  cell: (heardAtMs: number) => string;
}

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };
const PACE_MS = 1_000;
const CROWD_PACE_MS = 5_000;
const CROWD = 5_000;

export class Observed {
  ground = $state.raw<FeatureCollection>(EMPTY);
  thingWords = $state.raw<FeatureCollection>(EMPTY);
  cellWords = $state.raw<FeatureCollection>(EMPTY);
  counted = $state.raw<Counted>({ placed: 0, fresh: 0 });
  /** Cells with Things in them, and how many of those are observed; null while Things come one by one. */
  cells = $state.raw<{ all: number; observed: number } | null>(null);
  /** Districts; null where it cannot be counted. */
  watched = $state.raw<Watched | null>(null);

  #room: Room;
  #words: Words;
  #ground = new Ground();
  #now = 0;
  #at = -Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(room: Room, words: Words) {
    this.#room = room;
    this.#words = words;
  }

  /** Something changed, or time went on. The first answer is at once, the next ones at a pace. */
  request(now: number): void {
    this.#now = now;
    if (this.#timer !== null) return;
    const pace = this.#room.fleet.size > CROWD ? CROWD_PACE_MS : PACE_MS;
    const wait = this.#at + pace - performance.now();
    if (wait <= 0) {
      this.#run();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#run();
    }, wait);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #run(): void {
    this.#at = performance.now();
    untrack(() => {
      this.#things();
      this.#hexes();
    });
  }

  #things(): void {
    const { fleet, profile } = this.#room;
    const now = this.#now;
    const ground = this.#ground.update(fleet, now);
    this.counted = this.#ground.counted;
    this.thingWords = thingWords(fleet, now, this.#words.thing);
    if (ground) this.ground = ground;
    if (ground || this.watched === null) {
      this.watched = profile
        ? watchedDistricts(profile, this.#ground.watchers)
        : null;
    }
  }

  #hexes(): void {
    const { hexes } = this.#room;
    if (hexes.size === 0) {
      this.cells = null;
      this.cellWords = EMPTY;
      return;
    }
    let observed = 0;
    hexes.each((cell) => {
      if (cellState(cell, this.#now).age < 2) observed++;
    });
    this.cells = { all: hexes.size, observed };
    this.cellWords = cellWords(hexes, this.#now, this.#words.cell);
  }
}
