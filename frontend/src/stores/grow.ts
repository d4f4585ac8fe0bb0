// Typed arrays that grow by doubling: what is in them stays, nobody copies them by the element.

type Columns =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** The next size that holds `wanted`, at least `have`. */
export function grown(have: number, wanted: number): number {
  let size = Math.max(64, have);
  while (size < wanted) size *= 2;
  return size;
}

/** The same values in an array of `size`; new places hold `fill`. */
export function widen<T extends Columns>(column: T, size: number, fill = 0): T {
  if (size <= column.length) return column;
  const Kind = column.constructor as new (n: number) => T;
  const wide = new Kind(size);
  wide.set(column);
  if (fill !== 0) wide.fill(fill, column.length);
  return wide;
}
