// What the server is asked to show: a little more than the screen does, so that a small move asks nothing, and at most five times a second.
import type { Box } from "./geometry";

export interface Looked {
  bbox: Box;
  zoom: number;
}

/** Where the server changes from cells to Things or to another resolution. */
const STEPS = [5, 6, 7.5, 9, 10.5, 12, 13.5];
/** Part of the view that is asked for beyond each of its edges. */
const MARGIN = 0.2;
/** A box so many times larger than the view brings more than is worth having. */
const WASTE = 12;
export const PACE_MS = 200;

const step = (zoom: number) => STEPS.filter((s) => s <= zoom).length;

const area = ([w, s, e, n]: Box) => (e - w) * (n - s);

export const covers = (outer: Box, inner: Box): boolean =>
  outer[0] <= inner[0] &&
  outer[1] <= inner[1] &&
  outer[2] >= inner[2] &&
  outer[3] >= inner[3];

export class Looking {
  #send: (looked: Looked) => void;
  #now: () => number;
  #last: Looked | null = null;
  #sentAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #wanted: Looked | null = null;

  constructor(
    send: (looked: Looked) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#send = send;
    this.#now = now;
  }

  /** What was asked for last. */
  get last(): Looked | null {
    return this.#last;
  }

  /** Asks for exactly this, at once. */
  ask(looked: Looked): void {
    this.#last = looked;
    this.#sentAt = this.#now();
    this.#send(looked);
  }

  /** The view moved: asks where what was asked for does not hold it. `zoom` as on a screen of one pixel to the mock pixel. */
  moved(view: Box, zoom: number): void {
    if (this.#last && this.#enough(this.#last, view, zoom)) {
      this.#wanted = null;
      return;
    }
    this.#wanted = { bbox: widened(view), zoom };
    if (this.#timer !== null) return;
    const wait = this.#sentAt + PACE_MS - this.#now();
    if (wait <= 0) {
      this.#flush();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, wait);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #flush(): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted) this.ask(wanted);
  }

  #enough(last: Looked, view: Box, zoom: number): boolean {
    return (
      covers(last.bbox, view) &&
      step(last.zoom) === step(zoom) &&
      area(last.bbox) <= area(view) * WASTE
    );
  }
}

function widened([w, s, e, n]: Box): Box {
  const dx = (e - w) * MARGIN;
  const dy = (n - s) * MARGIN;
  return [
    Math.max(-180, w - dx),
    Math.max(-90, s - dy),
    Math.min(180, e + dx),
    Math.min(90, n + dy),
  ];
}
