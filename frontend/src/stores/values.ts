// Values of Things, compactly: one row for each property of each Thing in shared columns, chained from the Thing's first row.
// A new value of a known property is written in place; nothing is allocated for it.
import type { Quality } from "../wire/wire";
import { grown, widen } from "./grow";

export interface ThingValue {
  property: string;
  value: number | string | boolean;
  unit: string;
  /** Milliseconds since 1970. */
  atMs: number;
  quality: Quality;
}

const QUALITIES: readonly Quality[] = [
  "good",
  "received",
  "clock_skew",
  "suspect",
];
const NUMBER = 0;
const TEXT = 1;
const TRUTH = 2;
/** No row. */
export const NONE = -1;

export class Values {
  #properties: string[] = [];
  #numbers = new Map<string, number>();
  #units: string[] = [];
  #unitNumbers = new Map<string, number>();
  #property = new Uint16Array(0);
  #unit = new Uint16Array(0);
  #next = new Int32Array(0);
  #number = new Float64Array(0);
  #atMs = new Float64Array(0);
  #quality = new Uint8Array(0);
  #form = new Uint8Array(0);
  #text: string[] = [];
  #used = 0;
  #free = NONE;

  /** Forgets every row; the names stay, they are few. */
  clear(): void {
    this.#used = 0;
    this.#free = NONE;
    this.#text.length = 0;
  }

  /** Writes a value into the chain that starts at `head` and answers its first row. An older value than the one known is dropped. */
  put(
    head: number,
    property: string,
    unit: string,
    value: number | string | boolean,
    atMs: number,
    quality: Quality,
  ): number {
    const wanted = numberOf(property, this.#properties, this.#numbers);
    let row = head;
    while (row !== NONE && this.#property[row] !== wanted) {
      row = this.#next[row] ?? NONE;
    }
    let first = head;
    if (row === NONE) {
      row = this.#take();
      this.#property[row] = wanted;
      this.#next[row] = head;
      first = row;
    } else if (atMs < (this.#atMs[row] ?? 0)) return head;
    this.#unit[row] = numberOf(unit, this.#units, this.#unitNumbers);
    this.#atMs[row] = atMs;
    this.#quality[row] = Math.max(0, QUALITIES.indexOf(quality));
    this.#write(row, value);
    return first;
  }

  #write(row: number, value: number | string | boolean): void {
    if (typeof value === "number") {
      this.#number[row] = value;
      this.#form[row] = NUMBER;
    } else if (typeof value === "boolean") {
      this.#number[row] = value ? 1 : 0;
      this.#form[row] = TRUTH;
    } else {
      while (this.#text.length <= row) this.#text.push("");
      this.#text[row] = value;
      this.#form[row] = TEXT;
    }
  }

  #take(): number {
    if (this.#free !== NONE) {
      const row = this.#free;
      this.#free = this.#next[row] ?? NONE;
      return row;
    }
    if (this.#used === this.#next.length) this.#widen(this.#used + 1);
    return this.#used++;
  }

  #widen(wanted: number): void {
    const size = grown(this.#next.length, wanted);
    this.#property = widen(this.#property, size);
    this.#unit = widen(this.#unit, size);
    this.#next = widen(this.#next, size);
    this.#number = widen(this.#number, size);
    this.#atMs = widen(this.#atMs, size);
    this.#quality = widen(this.#quality, size);
    this.#form = widen(this.#form, size);
  }

  /** Gives a Thing's rows back. */
  drop(head: number): void {
    for (let row = head; row !== NONE;) {
      const next = this.#next[row] ?? NONE;
      if (this.#form[row] === TEXT) this.#text[row] = "";
      this.#next[row] = this.#free;
      this.#free = row;
      row = next;
    }
  }

  /** All values of a Thing, by property name. */
  list(head: number): ThingValue[] {
    const found: ThingValue[] = [];
    for (let row = head; row !== NONE; row = this.#next[row] ?? NONE) {
      found.push(this.#read(row));
    }
    return found.sort((a, b) => (a.property < b.property ? -1 : 1));
  }

  find(head: number, property: string): ThingValue | undefined {
    const wanted = this.#numbers.get(property);
    for (let row = head; row !== NONE; row = this.#next[row] ?? NONE) {
      if (this.#property[row] === wanted) return this.#read(row);
    }
    return undefined;
  }

  #read(row: number): ThingValue {
    const number = this.#number[row] ?? Number.NaN;
    const form = this.#form[row];
    return {
      property: this.#properties[this.#property[row] ?? 0] ?? "",
      unit: this.#units[this.#unit[row] ?? 0] ?? "",
      value:
        form === TEXT
          ? (this.#text[row] ?? "")
          : form === TRUTH
            ? number !== 0
            : number,
      atMs: this.#atMs[row] ?? 0,
      quality: QUALITIES[this.#quality[row] ?? NUMBER] ?? "good",
    };
  }
}

/** The number of a name in a list that only grows: kinds, properties, units are few. */
export function numberOf(
  name: string,
  names: string[],
  numbers: Map<string, number>,
): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  const next = names.length;
  names.push(name);
  numbers.set(name, next);
  return next;
}
