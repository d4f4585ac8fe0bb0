// What a page asks for again and again while it is open: the last answer, and why there is none.
import { onMount } from "svelte";
import type { Answer, Problem } from "../api/call";

const EVERY_MS = 5_000;

export class Asked<T> {
  body = $state.raw<T | null>(null);
  /** Why the last try failed; null: it did not. */
  fault = $state.raw<{ status: number; problem: Problem } | null>(null);
  #ask: () => Promise<Answer<T>>;
  #every: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** Made while a component is: it asks from then on until that is gone. `everyMs` 0: once, and when told to. */
  constructor(ask: () => Promise<Answer<T>>, everyMs = EVERY_MS) {
    this.#ask = ask;
    this.#every = everyMs;
    onMount(() => {
      void this.again();
      return () => {
        this.#stopped = true;
        clearTimeout(this.#timer);
      };
    });
  }

  /** Asks now: something was changed. */
  async again(): Promise<void> {
    clearTimeout(this.#timer);
    const answer = await this.#ask();
    if (this.#stopped) return;
    if (answer.ok) this.body = answer.body;
    this.fault = answer.ok ? null : answer;
    // What was asked for once is asked for again until it is there.
    const every = this.#every > 0 || answer.ok ? this.#every : EVERY_MS;
    if (every > 0) this.#timer = setTimeout(() => void this.again(), every);
  }
}
