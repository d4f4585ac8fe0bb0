// One picture that is kept fresh while it can be seen. One object address at a time is held, and given back.
import { fetchStill } from "../../api/cameras";
import { pollMs } from "./near";

export class Still {
  url = $state("");
  takenMs = $state<number | null>(null);
  /** The last question had no picture. */
  failed = $state(false);
  /** The last question, also once it is answered; null: paused. One for each: what is kept for a month must not gather listeners. */
  #asked: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks now and again and again, until pause. */
  run(id: string, everyS: number): void {
    if (!this.#asked) void this.#ask(id, everyS);
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#asked = null;
  }

  /** Ends it for good. */
  end(): void {
    this.pause();
    this.#show("");
    this.takenMs = null;
  }

  async #ask(id: string, everyS: number): Promise<void> {
    const asked = new AbortController();
    this.#asked = asked;
    const found = await fetchStill(id, asked.signal);
    if (asked.signal.aborted) return;
    this.failed = found === null;
    if (found && found.takenMs !== this.takenMs) {
      this.#show(URL.createObjectURL(found.blob));
      this.takenMs = found.takenMs;
    }
    this.#timer = setTimeout(
      () => void this.#ask(id, everyS),
      pollMs(everyS, found?.ageMs ?? null) * (1 + Math.random() * 0.05),
    );
  }

  #show(url: string): void {
    if (this.url !== "") URL.revokeObjectURL(this.url);
    this.url = url;
  }
}
