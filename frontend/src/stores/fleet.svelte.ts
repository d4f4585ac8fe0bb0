// Every Thing in view, in columns: a move writes numbers in place and allocates nothing. Fed only by the live socket.
// The server numbers Things by slot; here they lie dense, and the last one takes the place of one that leaves.
import type { Quality } from "../wire/wire";
import {
  NEVER,
  UNKNOWN_16,
  UNPLACED,
  type Announcement,
  type Moves,
  type ThingSink,
} from "../wire/sinks";
import type { Frame } from "./frame";
import { grown, widen } from "./grow";
import { NONE, numberOf, Values, type ThingValue } from "./values";

export type { ThingValue } from "./values";

/** What one Thing is, read out for a panel; a copy that no later move changes. */
export interface ThingView {
  index: number;
  id: string;
  feed: string;
  kind: string;
  name: string;
  attribution: string;
  simulated: boolean;
  /** Degrees; NaN where it has no place yet. */
  lng: number;
  lat: number;
  /** Degrees from north and metres per second; NaN: unknown. */
  heading: number;
  speed: number;
  /** Milliseconds since 1970: of its latest word, and when that is stale. */
  atMs: number;
  staleAtMs: number;
  values: ThingValue[];
}

/** Without a known interval a word holds for five minutes, as on the server. */
export const UNKNOWN_STALE_MS = 300_000;
/** Changes are noted by block, so that a layer uploads only what changed. */
export const BLOCK = 256;
export const SIMULATED = 1;
export const ANNOUNCED = 2;
/** More than any server has; a number beyond it is a fault, not a Thing. */
const MAX_SLOT = 1 << 24;
const FIRST = 64;

export class Fleet implements ThingSink {
  /** Grows once per frame in which something changed. */
  version = $state(0);

  /** Columns by index; only the first `size` places mean anything. They are replaced when they grow: read them anew each time. */
  size = 0;
  lng = new Float64Array(FIRST);
  lat = new Float64Array(FIRST);
  heading = new Float32Array(FIRST);
  speed = new Float32Array(FIRST);
  atMs = new Float64Array(FIRST);
  staleMs = new Float64Array(FIRST);
  kind = new Uint16Array(FIRST);
  flags = new Uint8Array(FIRST);
  kinds: string[] = [];
  /** Kinds that a map may draw; null: every kind. */
  drawn: ReadonlySet<string> | null = null;
  /** Grows with every message; blocks[i] is the stamp of the last change in block i. */
  stamp = 1;
  blocks = new Uint32Array(1);
  readonly block = BLOCK;
  readonly unknownStaleMs = UNKNOWN_STALE_MS;

  #slot = new Uint32Array(FIRST);
  #head = new Int32Array(FIRST);
  /** Where the rows of the frame at hand go. */
  #places = new Int32Array(FIRST);
  #feed = new Uint16Array(FIRST);
  #source = new Uint16Array(FIRST);
  #ids: string[] = [];
  #names: string[] = [];
  #index = new Int32Array(1024).fill(NONE);
  #byId = new Map<string, number>();
  #values = new Values();
  #kindNumbers = new Map<string, number>();
  #feeds: string[] = [];
  #feedNumbers = new Map<string, number>();
  #sources: string[] = [];
  #sourceNumbers = new Map<string, number>();
  #frame: Frame;
  #onDone: () => void;
  #watching = new Set<() => void>();
  #changed = false;
  #show = () => {
    this.version++;
  };

  /** `onDone` runs after each message that changed something. */
  constructor(frame: Frame, onDone: () => void = () => undefined) {
    this.#frame = frame;
    this.#onDone = onDone;
  }

  reset(): void {
    for (let i = 0; i < this.size; i++) this.#index[this.#slot[i] ?? 0] = NONE;
    this.size = 0;
    this.#ids.length = 0;
    this.#names.length = 0;
    this.#byId.clear();
    this.#values.clear();
    this.blocks.fill(this.stamp);
    this.#changed = true;
  }

  /** Lets maps draw Things of these kinds only; null: of every kind. */
  limit(kinds: ReadonlySet<string> | null): void {
    if (kinds === this.drawn) return;
    this.drawn = kinds;
    this.blocks.fill(this.stamp);
    this.#changed = true;
    this.done();
  }

  announce(slot: number, a: Announcement): void {
    const i = this.#ensure(slot);
    if (i === NONE) return;
    const known = this.#ids[i];
    if (known !== a.id) {
      // The slot has a new owner: nothing of the former one is true of it.
      if (known) this.#forget(known, slot);
      this.#values.drop(this.#head[i] ?? NONE);
      this.#head[i] = NONE;
      this.#ids[i] = a.id;
      this.#byId.set(a.id, slot);
    }
    this.#names[i] = a.name;
    this.#feed[i] = numberOf(a.feed, this.#feeds, this.#feedNumbers);
    this.#source[i] = numberOf(
      a.attribution,
      this.#sources,
      this.#sourceNumbers,
    );
    this.kind[i] = numberOf(a.kind, this.kinds, this.#kindNumbers);
    this.staleMs[i] = a.staleMs;
    this.flags[i] = ANNOUNCED | (a.simulated ? SIMULATED : 0);
    this.#touch(i);
  }

  move(
    slot: number,
    lng: number,
    lat: number,
    heading: number,
    speed: number,
    atMs: number,
  ): void {
    const i = this.#ensure(slot);
    if (i === NONE) return;
    this.lng[i] = lng;
    this.lat[i] = lat;
    this.heading[i] = heading;
    this.speed[i] = speed;
    this.atMs[i] = atMs;
    this.#touch(i);
  }

  /** Column by column: no call for each Thing. */
  moves(m: Moves): void {
    const { count, baseMs } = m;
    const places = this.#placesOf(m);
    // They may have grown: read only now.
    const { lng, lat, heading, speed, atMs } = this;
    for (let k = 0; k < count; k++) {
      const i = places[k] as number;
      if (i < 0) continue;
      const x = m.lng[k] as number;
      const y = m.lat[k] as number;
      const ago = m.ago[k] as number;
      lng[i] = x === UNPLACED ? Number.NaN : x / 1e6;
      lat[i] = y === UNPLACED ? Number.NaN : y / 1e6;
      atMs[i] = ago === NEVER ? 0 : baseMs - ago;
    }
    scaled(m.heading, places, count, heading);
    scaled(m.speed, places, count, speed);
  }

  /** The index of each row's slot, NONE for one that no server has; the blocks they lie in are marked. */
  #placesOf({ count, slots }: Moves): Int32Array {
    if (this.#places.length < count) {
      this.#places = new Int32Array(grown(this.#places.length, count));
    }
    const places = this.#places;
    for (let k = 0; k < count; k++) {
      const slot = slots[k] as number;
      const known = this.#index[slot] ?? NONE;
      const i = known === NONE ? this.#ensure(slot) : known;
      places[k] = i;
      if (i !== NONE) this.blocks[(i / BLOCK) | 0] = this.stamp;
    }
    this.#changed = true;
    return places;
  }

  value(
    slot: number,
    property: string,
    unit: string,
    value: number | string | boolean,
    atMs: number,
    quality: Quality,
  ): void {
    const i = this.#ensure(slot);
    if (i === NONE) return;
    const head = this.#head[i] ?? NONE;
    this.#head[i] = this.#values.put(
      head,
      property,
      unit,
      value,
      atMs,
      quality,
    );
    this.#changed = true;
  }

  remove(slot: number): void {
    const i = this.#index[slot] ?? NONE;
    if (i === NONE) return;
    const id = this.#ids[i];
    if (id) this.#forget(id, slot);
    this.#values.drop(this.#head[i] ?? NONE);
    this.#index[slot] = NONE;
    const last = --this.size;
    if (i !== last) this.#carry(last, i);
    this.#ids.length = last;
    this.#names.length = last;
    this.#touch(i);
  }

  done(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.stamp++;
    this.#frame.soon(this.#show);
    this.#onDone();
    for (const run of this.#watching) run();
  }

  /** Runs after each message that changed something, before the frame that shows it: a map asks for that very frame. Answers how to stop. */
  watch(run: () => void): () => void {
    this.#watching.add(run);
    return () => {
      this.#watching.delete(run);
    };
  }

  /** The Thing's place in the columns until the next message, or -1. */
  indexOf(id: string): number {
    const slot = this.#byId.get(id);
    return slot === undefined ? NONE : (this.#index[slot] ?? NONE);
  }

  id(index: number): string {
    return this.#ids[index] ?? "";
  }

  name(index: number): string {
    return this.#names[index] ?? "";
  }

  kindOf(index: number): string {
    return this.kinds[this.kind[index] ?? 0] ?? "";
  }

  feedOf(index: number): string {
    return this.#feeds[this.#feed[index] ?? 0] ?? "";
  }

  /** When its latest word is stale, milliseconds since 1970. */
  staleAt(index: number): number {
    const holds = this.staleMs[index] ?? 0;
    return (this.atMs[index] ?? 0) + (holds > 0 ? holds : UNKNOWN_STALE_MS);
  }

  at(index: number): ThingView {
    return {
      index,
      id: this.id(index),
      feed: this.#feeds[this.#feed[index] ?? 0] ?? "",
      kind: this.kindOf(index),
      name: this.name(index),
      attribution: this.#sources[this.#source[index] ?? 0] ?? "",
      simulated: ((this.flags[index] ?? 0) & SIMULATED) !== 0,
      lng: this.lng[index] ?? Number.NaN,
      lat: this.lat[index] ?? Number.NaN,
      heading: this.heading[index] ?? Number.NaN,
      speed: this.speed[index] ?? Number.NaN,
      atMs: this.atMs[index] ?? 0,
      staleAtMs: this.staleAt(index),
      values: this.#values.list(this.#head[index] ?? NONE),
    };
  }

  find(id: string): ThingView | undefined {
    const index = this.indexOf(id);
    return index === NONE ? undefined : this.at(index);
  }

  valueOf(index: number, property: string): ThingValue | undefined {
    return this.#values.find(this.#head[index] ?? NONE, property);
  }

  /** At most `n` Things whose name or id holds the text, those that begin with it first. */
  search(text: string, n: number): ThingView[] {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return [];
    const first: number[] = [];
    const later: number[] = [];
    for (let i = 0; i < this.size && first.length < n; i++) {
      const name = this.name(i).toLowerCase();
      const id = this.id(i).toLowerCase();
      if (name.startsWith(wanted) || id.startsWith(wanted)) first.push(i);
      else if (
        later.length < n &&
        (name.includes(wanted) || id.includes(wanted))
      )
        later.push(i);
    }
    return [...first, ...later].slice(0, n).map((i) => this.at(i));
  }

  each(run: (index: number) => void): void {
    for (let i = 0; i < this.size; i++) run(i);
  }

  #ensure(slot: number): number {
    if (slot >= this.#index.length) {
      if (slot >= MAX_SLOT) return NONE;
      this.#index = widen(
        this.#index,
        grown(this.#index.length, slot + 1),
        NONE,
      );
    }
    const known = this.#index[slot] ?? NONE;
    if (known !== NONE) return known;
    const i = this.size++;
    if (i >= this.lng.length) this.#widen();
    this.#index[slot] = i;
    this.#slot[i] = slot;
    this.#head[i] = NONE;
    this.#ids[i] = "";
    this.#names[i] = "";
    this.lng[i] = Number.NaN;
    this.lat[i] = Number.NaN;
    this.heading[i] = Number.NaN;
    this.speed[i] = Number.NaN;
    this.atMs[i] = 0;
    this.staleMs[i] = 0;
    this.flags[i] = 0;
    this.#touch(i);
    return i;
  }

  #forget(id: string, slot: number): void {
    if (this.#byId.get(id) === slot) this.#byId.delete(id);
  }

  #touch(index: number): void {
    this.blocks[(index / BLOCK) | 0] = this.stamp;
    this.#changed = true;
  }

  #carry(from: number, to: number): void {
    this.lng[to] = this.lng[from] ?? 0;
    this.lat[to] = this.lat[from] ?? 0;
    this.heading[to] = this.heading[from] ?? 0;
    this.speed[to] = this.speed[from] ?? 0;
    this.atMs[to] = this.atMs[from] ?? 0;
    this.staleMs[to] = this.staleMs[from] ?? 0;
    this.kind[to] = this.kind[from] ?? 0;
    this.flags[to] = this.flags[from] ?? 0;
    this.#feed[to] = this.#feed[from] ?? 0;
    this.#source[to] = this.#source[from] ?? 0;
    this.#head[to] = this.#head[from] ?? NONE;
    this.#ids[to] = this.#ids[from] ?? "";
    this.#names[to] = this.#names[from] ?? "";
    const slot = this.#slot[from] ?? 0;
    this.#slot[to] = slot;
    this.#index[slot] = to;
  }

  #widen(): void {
    const size = grown(this.lng.length, this.size);
    this.lng = widen(this.lng, size);
    this.lat = widen(this.lat, size);
    this.heading = widen(this.heading, size);
    this.speed = widen(this.speed, size);
    this.atMs = widen(this.atMs, size);
    this.staleMs = widen(this.staleMs, size);
    this.kind = widen(this.kind, size);
    this.flags = widen(this.flags, size);
    this.#slot = widen(this.#slot, size);
    this.#head = widen(this.#head, size);
    this.#feed = widen(this.#feed, size);
    this.#source = widen(this.#source, size);
    this.blocks = widen(this.blocks, Math.ceil(size / BLOCK));
  }
}

/** Hundredths into a column of whole ones, by place. */
function scaled(
  from: Uint16Array | null,
  places: Int32Array,
  count: number,
  to: Float32Array,
): void {
  for (let k = 0; k < count; k++) {
    const i = places[k] as number;
    if (i < 0) continue;
    const v = from === null ? UNKNOWN_16 : (from[k] as number);
    to[i] = v === UNKNOWN_16 ? Number.NaN : v / 100;
  }
}
