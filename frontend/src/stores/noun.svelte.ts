// One store per noun: documents by id, fed only by the live socket, newest offset wins, shown once per frame.
import { isNewer, type Cursor } from "./cursor";
import type { Frame } from "./frame";

/** Of so many that left it is known when: a late word of one of them does not bring it back. */
const LEFT = 1_000;

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
    if (at) {
      this.#at.delete(id); // whoever was told of last stands last
      this.#at.set(id, at);
    }
    if (this.#keep(doc)) this.#docs.set(id, doc);
    else this.#docs.delete(id);
    if (this.#at.size > this.#docs.size + LEFT) this.#forget();
    this.#frame.soon(this.#apply);
    return true;
  }

  /** The place of that which left longest ago: a screen stands for months between two snapshots. */
  #forget(): void {
    for (const id of this.#at.keys()) {
      if (this.#docs.has(id)) continue;
      this.#at.delete(id);
      return;
    }
  }

  /** Changes without a place in the case stream (feeds): the order of arrival is theirs. They come along with what is shown next, by the clock's next step at the latest. */
  merge(docs: readonly T[], removed: readonly string[] = []): void {
    for (const id of removed) this.#docs.delete(id);
    for (const doc of docs) this.#docs.set(this.#id(doc), doc);
    this.#frame.along(this.#apply);
  }
}
