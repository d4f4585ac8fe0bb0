// The cameras of the house, one list for whoever shows some: asked while somebody does and the page is looked at.
import { fetchCameras, type Camera } from "../../api/cameras";

const EVERY_MS = 30_000;

class Cameras {
  all = $state.raw<readonly Camera[]>([]);
  /** Somebody has answered: an empty list means that there are none. */
  known = $state(false);
  /** What the wall shows now, in the order of their numbers: the map repeats these. */
  shown = $state.raw<readonly Camera[]>([]);
  #watchers = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Keeps the list fresh until the answer is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      void this.read();
      this.#timer = setInterval(() => {
        if (document.visibilityState === "visible") void this.read();
      }, EVERY_MS);
    }
    let on = true;
    return () => {
      if (!on) return;
      on = false;
      if (--this.#watchers === 0) clearInterval(this.#timer);
    };
  }

  async read(): Promise<void> {
    const found = await fetchCameras();
    if (found === null) return;
    // Who may not look asks no more: each refusal is a line in the log.
    if (found === "denied") clearInterval(this.#timer);
    this.all = found === "denied" ? [] : found;
    this.known = true;
  }

  find(id: string): Camera | null {
    return this.all.find((c) => c.id === id) ?? null;
  }
}

export const cameras = new Cameras();
