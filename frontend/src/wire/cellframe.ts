// A CellFrame (server/wire/proto), read in place.
import type { Bytes } from "./bytes";
import type { CellSink } from "./sinks";
import { NEVER } from "./sinks";
import type { Severity } from "./wire";

const UNKNOWN_IN = 0x7fffffff;

const SEVERITIES: readonly (Severity | "")[] = [
  "",
  "Extreme",
  "Severe",
  "Moderate",
  "Minor",
  "Unknown",
];

const NOBODY: readonly string[] = Object.freeze([]);

export function readCellFrame(
  b: Bytes,
  start: number,
  end: number,
  sink: CellSink,
): void {
  let layer = "";
  let baseMs = 0;
  let count = -1;
  /** Where the columns 5 to 12 begin, and how wide their values are. */
  const places = [0, 0, 0, 0, 0, 0, 0, 0];
  const widths = [4, 4, 8, 1, 4, 4, 1, 2];
  const sets: (readonly string[])[] = [];
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) layer = b.word();
    else if (b.num === 2) baseMs = b.int;
    else if (b.num === 3) outline(b, b.start, b.end, sink);
    else if (b.num === 4) sets.push(b.words());
    else if (b.num >= 5 && b.num <= 12) {
      const n = (b.end - b.start) / (widths[b.num - 5] ?? 1);
      if (count >= 0 && n !== count) {
        throw new RangeError("columns of a cell frame differ in length");
      }
      count = n;
      places[b.num - 5] = b.start;
    }
  }
  if (count > 0 && places.includes(0)) {
    throw new RangeError("a column of a cell frame is missing");
  }
  if (count <= 0) return;
  const [slot, counted, value, severity, observed, stale, not, who] =
    places as [number, number, number, number, number, number, number, number];
  const slots = b.u32s(slot, count);
  const counts = b.u32s(counted, count);
  const agos = b.u32s(observed, count);
  const stales = b.i32s(stale, count);
  const whos = b.u16s(who, count);
  const values = b.f64s(value, count);
  const ranks = b.u8s(severity, count);
  const nots = b.u8s(not, count);
  for (let i = 0; i < count; i++) {
    const ago = agos[i] as number;
    const staleIn = stales[i] as number;
    sink.cell(
      slots[i] as number,
      layer,
      counts[i] as number,
      values[i] as number,
      SEVERITIES[ranks[i] as number] ?? "Unknown",
      ago === NEVER ? 0 : baseMs - ago,
      staleIn === UNKNOWN_IN ? 0 : baseMs + staleIn,
      sets[whos[i] as number] ?? NOBODY,
      nots[i] !== 0,
    );
  }
}

function outline(b: Bytes, start: number, end: number, sink: CellSink): void {
  let slot = 0;
  let cell = "";
  let resolution = 0;
  let ring = new Float64Array(0);
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) slot = b.int;
    else if (b.num === 2) cell = b.text();
    else if (b.num === 4) resolution = b.int;
    else if (b.num === 3) {
      ring = new Float64Array((b.end - b.start) / 4);
      for (let i = 0; i < ring.length; i++) {
        ring[i] = b.i32(b.start + 4 * i) / 1e6;
      }
    }
  }
  sink.outline(slot, cell, resolution, ring);
}
