// What a phone keeps: the outbox, and what it knew last. IndexedDB, so that it outlives the page, the browser and the battery.
import type { Act, Doing } from "./outbox";

const NAME = "kentongan.field";
const ACTS = "acts";
const KNOWN = "known";

/** The phone has no room; what was to be kept is not. */
export class NoRoom extends Error {}

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((done, failed) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(ACTS, {
        keyPath: "seq",
        autoIncrement: true,
      });
      asked.result.createObjectStore(KNOWN);
    };
    asked.onsuccess = () => {
      const base = asked.result;
      // Another page of a newer version may open it.
      base.onversionchange = () => {
        base.close();
        opened = null;
      };
      done(base);
    };
    asked.onerror = () => {
      failed(faultOf(asked.error));
    };
  }).catch((fault: unknown) => {
    opened = null;
    throw fault;
  });
  return opened;
}

function faultOf(fault: DOMException | null): Error {
  return fault?.name === "QuotaExceededError"
    ? new NoRoom()
    : (fault ?? new Error("indexedDB"));
}

/** One transaction; what it asked for is there, or on the disk, once the promise is. */
async function within<T>(
  store: string,
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest<T> | null,
): Promise<T | undefined> {
  const base = await open();
  return new Promise((done, failed) => {
    // Strict: an act that is said to be kept outlives a phone that dies in the next second.
    const step = base.transaction(store, mode, { durability: "strict" });
    const asked = ask(step.objectStore(store));
    step.oncomplete = () => {
      done(asked?.result);
    };
    step.onabort = step.onerror = () => {
      failed(faultOf(step.error ?? asked?.error ?? null));
    };
  });
}

/** All acts, in the order in which they were done. */
export const readActs = async (): Promise<Act[]> =>
  (await within<Act[]>(ACTS, "readonly", (s) => s.getAll())) ?? [];

/** A name that nobody else gives; without TLS browsers have no randomUUID. */
function fresh(): string {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes: Uint8Array = (crypto as Crypto).getRandomValues(
    new Uint8Array(16),
  );
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Keeps an act that was done just now; it is sent not before an instant, milliseconds since 1970. Errors: NoRoom. */
export async function keepAct(doing: Doing, next = 0): Promise<void> {
  await within(ACTS, "readwrite", (s) =>
    s.add({
      ...doing,
      key: fresh(),
      fate: "waiting",
      tries: 0,
      next,
      told: null,
    }),
  );
}

/** Writes what became of acts. Errors: NoRoom. */
export async function writeActs(acts: readonly Act[]): Promise<void> {
  if (acts.length === 0) return;
  await within(ACTS, "readwrite", (s) => {
    for (const act of acts) s.put(act);
    return null;
  });
}

export async function dropActs(acts: readonly Act[]): Promise<void> {
  if (acts.length === 0) return;
  await within(ACTS, "readwrite", (s) => {
    for (const act of acts) s.delete(act.seq);
    return null;
  });
}

export const readKnown = <T>(name: string): Promise<T | undefined> =>
  within<T>(KNOWN, "readonly", (s) => s.get(name) as IDBRequest<T>);

export async function writeKnown(name: string, value: unknown): Promise<void> {
  await within(KNOWN, "readwrite", (s) => s.put(value, name));
}
