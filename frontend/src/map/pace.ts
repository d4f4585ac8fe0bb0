// Frames at the pace of the machine: one for all that changed since the last, and fewer where a frame keeps the main thread for long.
// What is heard is read at once all the same; only the drawing of it waits.

/** Above this a frame is late. */
export const LATE_MS = 120;
/** Weight of the newest frame in the rolling cost. */
const WEIGHT = 0.4;

export interface Clockwork {
  /** Monotonic milliseconds. */
  now: () => number;
  /** Runs with the next frame of the screen. */
  frame: (run: () => void) => void;
  /** Runs after so many milliseconds; after 0 once the frame at hand has been handed over. */
  after: (ms: number, run: () => void) => void;
}

const screen: Clockwork = {
  now: () => performance.now(),
  frame: (run) => {
    requestAnimationFrame(run);
  },
  after: (ms, run) => {
    setTimeout(run, ms);
  },
};

export class Pace {
  #clock: Clockwork;
  #cost = 0;
  /** The last frame's end and length. */
  #over = 0;
  #took = 0;
  #measuring = false;
  /** What was asked for within a frame: how soon it may come is known when that frame is over. */
  #asked: (() => void)[] = [];

  constructor(clock: Clockwork = screen) {
    this.#clock = clock;
  }

  /** What a frame keeps the main thread for, milliseconds: from its first line to the first task after it. */
  get cost(): number {
    return this.#cost;
  }

  /** Milliseconds to wait before the next frame: after a late one `rest` times as long as it took. */
  wait(rest = 1): number {
    if (this.#took <= LATE_MS) return 0;
    return Math.max(0, this.#over + this.#took * rest - this.#clock.now());
  }

  /** A frame begins. */
  begin(): void {
    if (this.#measuring) return;
    this.#measuring = true;
    const { now, after } = this.#clock;
    const began = now();
    after(0, () => {
      this.#measuring = false;
      const took = now() - began;
      this.#cost += (took - this.#cost) * (this.#cost === 0 ? 1 : WEIGHT);
      this.#over = now();
      this.#took = took;
      for (const ask of this.#asked.splice(0)) ask();
    });
  }

  /**
   * A function that runs `ask` at once, after the frame at hand, or when the wait is over; once for all calls until then. `gather` may name
   * milliseconds in which more is to be expected.
   */
  spared(ask: () => void, rest = 1, gather = () => 0): () => void {
    let waiting = false;
    const given = () => {
      waiting = false;
      ask();
    };
    const weigh = () => {
      const wait = Math.max(this.wait(rest), gather());
      if (wait > 0) this.#clock.after(wait, given);
      else given();
    };
    return () => {
      if (waiting) return;
      waiting = true;
      if (this.#measuring) this.#asked.push(weigh);
      else weigh();
    };
  }

  /** A function that asks for `run` once per frame, however often it is called. */
  paced(run: () => void): () => void {
    let asked = false;
    const ask = this.spared(() => {
      this.#clock.frame(() => {
        asked = false;
        this.begin();
        run();
      });
    });
    return () => {
      if (asked) return;
      asked = true;
      ask();
    };
  }
}
