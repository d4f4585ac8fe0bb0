// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding), read in place: no object is made per field.
// Reading beyond the end throws RangeError.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A text or list that is met again and again, kept with the bytes that spell it. */
interface Kept<T> {
  bytes: Uint8Array;
  value: T;
}

/** Words kept; more than that are forgotten together. */
const MOST_KEPT = 4096;

const utf8 = new TextDecoder();

export class Bytes {
  /** The field that next() has read: its number; its number value (varint), or where its content lies. */
  num = 0;
  int = 0;
  start = 0;
  end = 0;

  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  /** Copies of columns that are not aligned in the message at hand, and how much of it is taken. */
  #copies = new Uint8Array(4096);
  #copied = 0;
  #texts = new Map<number, Kept<string>>();
  #lists = new Map<number, Kept<readonly string[]>>();

  take(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#copied = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Reads the field at `at` of a message that ends at `limit`; gives the place after it. */
  next(at: number, limit: number): number {
    at = this.#varint(at);
    const tag = this.int;
    this.num = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        at = this.#varint(at);
        break;
      case FIXED64:
        this.start = at;
        at += 8;
        this.end = at;
        break;
      case BYTES: {
        at = this.#varint(at);
        this.start = at;
        at += this.int;
        this.end = at;
        break;
      }
      case FIXED32:
        this.start = at;
        at += 4;
        this.end = at;
        break;
      default:
        throw new RangeError(`no protobuf field at ${at}`);
    }
    if (this.num === 0 || at > limit) {
      throw new RangeError(`a field ends at ${at}, its message at ${limit}`);
    }
    return at;
  }

  #varint(at: number): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#view.getUint8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
      if (scale > 2 ** 63) throw new RangeError(`no number at ${at}`);
    }
    this.int = value;
    return at;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  i32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  f64(at: number): number {
    return this.#view.getFloat64(at, true);
  }

  // Columns as typed arrays, little-endian as every machine with a browser is; one that is not aligned is copied. Good until the next take().

  u32s(at: number, count: number): Uint32Array {
    return new Uint32Array(...this.#column(at, count, 4));
  }

  i32s(at: number, count: number): Int32Array {
    return new Int32Array(...this.#column(at, count, 4));
  }

  u16s(at: number, count: number): Uint16Array {
    return new Uint16Array(...this.#column(at, count, 2));
  }

  f64s(at: number, count: number): Float64Array {
    return new Float64Array(...this.#column(at, count, 8));
  }

  u8s(at: number, count: number): Uint8Array {
    return new Uint8Array(...this.#column(at, count, 1));
  }

  #column(
    at: number,
    count: number,
    width: number,
  ): [ArrayBufferLike, number, number] {
    if (at + count * width > this.length) {
      throw new RangeError(`a column ends beyond ${this.length}`);
    }
    const { buffer, byteOffset } = this.#bytes;
    const from = byteOffset + at;
    if (from % width === 0) return [buffer, from, count];
    const size = count * width;
    const to = this.#copied;
    if (to + size > this.#copies.length) {
      // Columns handed out keep the buffer that they lie in.
      this.#copies = new Uint8Array(2 * (to + size));
      this.#copied = 0;
      return this.#column(at, count, width);
    }
    this.#copies.set(this.#bytes.subarray(at, at + size), to);
    this.#copied = Math.ceil((to + size) / 8) * 8;
    return [this.#copies.buffer, to, count];
  }

  /** The content of the field as text. */
  text(): string {
    return utf8.decode(this.#bytes.subarray(this.start, this.end));
  }

  /** As text(), for words that come again: the same bytes give the same string without making it anew. */
  word(): string {
    return this.#keep(this.#texts, this.start, this.end, () => this.text());
  }

  /** The texts of field 1 of the message that the field holds; the same bytes give the same list. */
  words(): readonly string[] {
    const { start, end } = this;
    return this.#keep(this.#lists, start, end, () => {
      const list: string[] = [];
      for (let at = start; at < end;) {
        at = this.next(at, end);
        if (this.num === 1) list.push(this.text());
      }
      return Object.freeze(list);
    });
  }

  /** The content of the field, JSON. */
  json(): unknown {
    return JSON.parse(this.text());
  }

  #keep<T>(
    kept: Map<number, Kept<T>>,
    start: number,
    end: number,
    make: () => T,
  ): T {
    let hash = 0x811c9dc5; // FNV-1a
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ this.#view.getUint8(i), 0x01000193);
    }
    const known = kept.get(hash);
    if (known && this.#same(known.bytes, start, end)) return known.value;
    const value = make();
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(hash, { bytes: this.#bytes.slice(start, end), value });
    return value;
  }

  #same(bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes.length !== end - start) return false;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== this.#bytes[start + i]) return false;
    }
    return true;
  }
}
