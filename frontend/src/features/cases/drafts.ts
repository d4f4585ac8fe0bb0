// What somebody has begun to say of an incident, kept while they look at another one; each person has their own.
import { fresh } from "../../api/cases";

const kept = new Map<string, string>();

export const draftOf = (who: string, incident: string): string =>
  kept.get(`${who} ${incident}`) ?? "";

export function keepDraft(who: string, incident: string, words: string): void {
  if (words === "") kept.delete(`${who} ${incident}`);
  else kept.set(`${who} ${incident}`, words);
}

/** Keys of one thing that is sent until it arrives: the same for the same, another for anything else. */
export class Once<T> {
  #of: { what: T; key: string } | null = null;

  keyOf(what: T): string {
    if (this.#of?.what !== what) this.#of = { what, key: fresh() };
    return this.#of.key;
  }

  /** It has arrived: whoever sends the same again means a second one. */
  done(): void {
    this.#of = null;
  }
}
