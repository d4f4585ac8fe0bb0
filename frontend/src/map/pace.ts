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
  #next = 0;
  #measuring = false;

  constructor(clock: Clockwork = screen) {
    this.#clock = clock;
  }

  /** What a frame keeps the main thread for, milliseconds: from its first line to the first task after it. */
  get cost(): number {
    return this.#cost;
  }

  /** Milliseconds to wait before the next frame, so that frames take at most half of the time. */
  get wait(): number {
    return Math.max(0, this.#next - this.#clock.now());
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
      this.#next =
        this.#cost > LATE_MS ? now() + Math.max(took, this.#cost) : 0;
    });
  }

  /** A function that runs `ask` at once, or once when the wait is over. For what asks for frames by itself. */
  spared(ask: () => void): () => void {
    let waiting = false;
    return () => {
      if (waiting) return;
      const { wait } = this;
      if (wait <= 0) {
        ask();
        return;
      }
      waiting = true;
      this.#clock.after(wait, () => {
        waiting = false;
        ask();
      });
    };
  }

  /** A function that asks for `run` once per frame, however often it is called. */
  paced(run: () => void): () => void {
    let asked = false;
    const ask = () => {
      this.#clock.frame(() => {
        asked = false;
        this.begin();
        run();
      });
    };
    return () => {
      if (asked) return;
      asked = true;
      const { wait } = this;
      if (wait > 0) this.#clock.after(wait, ask);
      else ask();
    };
  }
}
