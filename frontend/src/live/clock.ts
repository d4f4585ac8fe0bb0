// The server's time on this screen: what it said, carried on by the monotonic clock, never by the local one. What it says is read late, by the
// way to here and by whatever kept the page busy, and never early: of its last words the one that was read soonest is nearest to the truth.

/** Two minutes of pongs: the clocks drift apart by less than a millisecond in that. */
const KEPT = 24;
/** A word so far from the others tells that the server's clock was set, or that it is another server. */
const STEP_MS = 10_000;

export class ServerClock {
  #monotonic: () => number;
  #base: number | null = null;
  /** Server's time less ours, of its last words. */
  #bases: number[] = [];

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Hears the server's time, milliseconds since 1970: it is that, or a little later. */
  set(serverMs: number): void {
    const base = serverMs - this.#monotonic();
    if (this.#base !== null && Math.abs(base - this.#base) > STEP_MS)
      this.#bases = [];
    this.#bases.push(base);
    if (this.#bases.length > KEPT) this.#bases.shift();
    this.#base = Math.max(...this.#bases);
  }

  get known(): boolean {
    return this.#base !== null;
  }

  /** Milliseconds since 1970 by the server, or null before it has spoken. */
  now(): number | null {
    return this.#base === null ? null : this.#base + this.#monotonic();
  }

  /** The server's time at a monotonic instant. */
  at(monotonic: number): number | null {
    return this.#base === null ? null : this.#base + monotonic;
  }
}
