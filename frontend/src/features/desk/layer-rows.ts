// What each layer of the map holds just now, and how fresh it is. Pure.

/** The server's columns. */
export interface Columns {
  readonly size: number;
  readonly atMs: Float64Array;
  readonly kind: Uint16Array;
  readonly kinds: readonly string[];
  staleAt(index: number): number;
}

export interface LayerRow {
  kind: string;
  /** Things of it in the picture. */
  all: number;
  fresh: number;
  /** When the newest of them spoke, milliseconds; 0: none has. */
  newest: number;
}

export function layerRows(
  kinds: readonly string[],
  things: Columns,
  now: number,
): LayerRow[] {
  const rows = kinds.map((kind) => ({ kind, all: 0, fresh: 0, newest: 0 }));
  const row = new Map(rows.map((r) => [things.kinds.indexOf(r.kind), r]));
  for (let i = 0; i < things.size; i++) {
    const one = row.get(things.kind[i] ?? -1);
    if (!one) continue;
    const at = things.atMs[i] ?? 0;
    one.all++;
    if (at > 0 && things.staleAt(i) > now) one.fresh++;
    if (at > one.newest) one.newest = at;
  }
  return rows;
}
