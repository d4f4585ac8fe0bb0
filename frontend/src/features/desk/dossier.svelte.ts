// The one incident that lies on the desk: read whole from the house, newer live pictures of it laid over.
import { fetchIncident, type Known, type Verb } from "../../api/incidents";
import type { Incident } from "../../wire/wire";
import { newer } from "./changes";

export type Reading = "none" | "loading" | "there" | "missing" | "failed";

/** What the house answers to an id that it has not, or that is none. */
const MISSING = new Set([400, 404, 422]);

export class Dossier {
  id = $state<string | null>(null);
  reading = $state<Reading>("none");
  #read = $state.raw<Known | null>(null);
  #asked = 0;

  /** Reads it anew; an answer that was overtaken is dropped. */
  async open(id: string | null): Promise<void> {
    const turn = ++this.#asked;
    if (id !== this.id) this.#read = null;
    this.id = id;
    if (id === null) {
      this.reading = "none";
      return;
    }
    if (!this.#read) this.reading = "loading";
    const answer = await fetchIncident(id);
    if (turn !== this.#asked) return;
    if (answer.ok) {
      this.#read = newer(answer.body, this.#read);
      this.reading = "there";
    } else {
      this.reading = MISSING.has(answer.status) ? "missing" : "failed";
    }
  }

  /** Somebody else sits here: what the last one was shown is no longer theirs to see. */
  async forget(): Promise<void> {
    this.#read = null;
    await this.open(this.id);
  }

  /** What the house answered to an act. */
  take(known: Known): void {
    if (known.id === this.id) {
      this.#read = newer(known, this.#read);
      this.reading = "there";
    }
  }

  /** The newest picture of it, given the live one if there is one. */
  latest(live: Incident | undefined): Incident | null {
    return newer<Incident>(live, this.#read);
  }

  /** What may be asked of it now; null while the house has not said so of this version. */
  allowed(of: Incident): readonly Verb[] | null {
    const read = this.#read;
    return read?.id === of.id && read.version === of.version
      ? read.allowed
      : null;
  }
}
