// Readers of what comes over HTTP: a value of the wrong kind is as good as none, so that an older or newer server breaks no screen.

export type Doc = Record<string, unknown>;

export const isDoc = (value: unknown): value is Doc =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const doc = (value: unknown): Doc => (isDoc(value) ? value : {});

export const text = (value: unknown): string =>
  typeof value === "string" ? value : "";

export const count = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? value : 0;

/** A number, or null where none is said. */
export const figure = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

export const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : [];

export const docs = (value: unknown): Doc[] => list(value).filter(isDoc);

/** The texts of a list; anything else in it is left out. */
export const texts = (value: unknown): string[] =>
  list(value).filter((v): v is string => typeof v === "string");

/** One of the known words, else the first of them. */
export function word<T extends string>(
  value: unknown,
  known: readonly [T, ...T[]],
): T {
  return known.find((k) => k === value) ?? known[0];
}
