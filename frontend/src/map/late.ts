// New data of the map's sources on a machine that draws slowly: each costs the map some frames, so they are gathered until it has had air.
import type { Pace } from "./pace";
import { LATE_MS } from "./pace";

/** Frames that the map draws for new data, by and large: it comes back from the worker tile by tile. */
const FRAMES = 4;

export class Late<Name extends string> {
  #pace: Pick<Pace, "cost">;
  #apply: (name: Name) => void;
  #waiting = new Set<Name>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(pace: Pick<Pace, "cost">, apply: (name: Name) => void) {
    this.#pace = pace;
    this.#apply = apply;
  }

  /** Applies at once where frames are quick, else together with what else comes meanwhile. */
  ask(name: Name): void {
    const { cost } = this.#pace;
    if (this.#timer === null && cost <= LATE_MS) {
      this.#apply(name);
      return;
    }
    this.#waiting.add(name);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = null;
        const names = [...this.#waiting];
        this.#waiting.clear();
        for (const each of names) this.#apply(each);
      },
      Math.max(LATE_MS, cost) * FRAMES * 2,
    );
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
  }
}
