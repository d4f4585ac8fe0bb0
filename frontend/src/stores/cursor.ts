// A cursor is `epoch:offset`. Offsets grow within an epoch; of another epoch nothing is known.

export interface Cursor {
  epoch: string;
  offset: number;
}

export function parseCursor(text: string | undefined): Cursor | null {
  if (!text) return null;
  const cut = text.lastIndexOf(":");
  const offset = Number(text.slice(cut + 1));
  if (cut < 0 || !Number.isFinite(offset)) return null;
  return { epoch: text.slice(0, cut), offset };
}

/** Tells whether `next` is newer than `have`. Another epoch, or no cursor at all, counts as newer: the server knows. */
export function isNewer(next: Cursor | null, have: Cursor | null): boolean {
  if (!next || !have || next.epoch !== have.epoch) return true;
  return next.offset > have.offset;
}
