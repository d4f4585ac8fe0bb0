// One store per noun: documents by id, fed only by the live socket, newest offset wins, shown once per frame.
import { isNewer, type Cursor } from "./cursor";
import type { Frame } from "./frame";

export class Noun<T> {
  #frame: Frame;
  #id: (doc: T) => string;
  #keep: (doc: T) => boolean;
  #docs = new Map<string, T>();
  #at = new Map<string, Cursor>();
  #floor: Cursor | null = null;
  /** What components read: replaced, never changed, at most once per frame. */
  all = $state.raw<readonly T[]>([]);
  #apply = () => {
    this.all = [...this.#docs.values()];
  };

  /** `keep` tells which documents stay on screen: a closed incident leaves. */
  constructor(
    frame: Frame,
    id: (doc: T) => string,
    keep: (doc: T) => boolean = () => true,
  ) {
    this.#frame = frame;
    this.#id = id;
    this.#keep = keep;
  }

  get(id: string): T | undefined {
    return this.#docs.get(id);
  }

  get size(): number {
    return this.#docs.size;
  }

  /** A snapshot: everything that is open, in place of what was known. */
  reset(docs: readonly T[], at: Cursor | null): void {
    this.#docs.clear();
    this.#at.clear();
    this.#floor = at;
    for (const doc of docs) {
      if (this.#keep(doc)) this.#docs.set(this.#id(doc), doc);
    }
    this.#frame.soon(this.#apply);
  }

  /** A change. Answers false where something newer is already known. */
  put(doc: T, at: Cursor | null): boolean {
    const id = this.#id(doc);
    if (!isNewer(at, this.#at.get(id) ?? this.#floor)) return false;
    if (at) this.#at.set(id, at);
    if (this.#keep(doc)) this.#docs.set(id, doc);
    else this.#docs.delete(id);
    this.#frame.soon(this.#apply);
    return true;
  }

  /** Changes without a place in the case stream (things, feeds): the order of arrival is theirs. */
  merge(docs: readonly T[], removed: readonly string[] = []): void {
    for (const id of removed) this.#docs.delete(id);
    for (const doc of docs) this.#docs.set(this.#id(doc), doc);
    this.#frame.soon(this.#apply);
  }
}
