// What the map may learn late and seldom: soon after it changed where it stood still before, and at a pace where it changes on and on.

const FIRST_MS = 1_000;
const PACE_MS = 5_000;

export class Later {
  #run: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #at = -Infinity;

  constructor(run: () => void) {
    this.#run = run;
  }

  ask(): void {
    const now = performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.now();
      },
      Math.max(FIRST_MS, this.#at + PACE_MS - now),
    );
  }

  /** The map draws anyway: what waits comes with it. */
  now(): void {
    if (this.#timer === null) return;
    this.stop();
    this.#at = performance.now();
    this.#run();
  }

  /** What waits is not run. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
