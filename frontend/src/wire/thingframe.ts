// A ThingFrame (server/wire/proto), read in place. Columns may lie at any byte: as typed arrays they are read through bytes.ts, which copies those
// that are not aligned.
import type { Bytes } from "./bytes";
import {
  NEVER,
  UNKNOWN_16,
  UNPLACED,
  type Moves,
  type ThingSink,
} from "./sinks";
import type { Quality } from "./wire";

const QUALITIES: readonly Quality[] = [
  "good",
  "received",
  "clock_skew",
  "suspect",
];

/** Where the columns of the frame at hand lie; one frame is read at a time. */
const place = {
  slot: 0,
  lng: 0,
  lat: 0,
  heading: 0,
  speed: 0,
  ago: 0,
  count: 0,
  baseMs: 0,
  kind: "",
};

export function readThingFrame(
  b: Bytes,
  start: number,
  end: number,
  sink: ThingSink,
): void {
  const more = locate(b, start, end);
  // Announcements before moves: a slot that is new must have its name first.
  for (let at = start; more && at < end;) {
    at = b.next(at, end);
    if (b.num === 3) announcement(b, b.start, b.end, sink);
  }
  moves(b, sink);
  for (let at = start; more && at < end;) {
    at = b.next(at, end);
    if (b.num === 10) column(b, b.start, b.end, sink);
  }
}

/** Notes where the columns are; tells whether the frame has more than these. */
function locate(b: Bytes, start: number, end: number): boolean {
  let more = false;
  let bytes = 0;
  let lng = 0;
  let lat = 0;
  let ago = 0;
  place.kind = "";
  place.baseMs = 0;
  place.heading = place.speed = -1;
  for (let at = start; at < end;) {
    at = b.next(at, end);
    const length = b.end - b.start;
    switch (b.num) {
      case 1:
        place.kind = b.word();
        break;
      case 2:
        place.baseMs = b.int;
        break;
      case 4:
        place.slot = b.start;
        bytes = length;
        break;
      case 5:
        place.lng = b.start;
        lng = length;
        break;
      case 6:
        place.lat = b.start;
        lat = length;
        break;
      case 7:
        place.heading = length * 2 === bytes ? b.start : -1;
        break;
      case 8:
        place.speed = length * 2 === bytes ? b.start : -1;
        break;
      case 9:
        place.ago = b.start;
        ago = length;
        break;
      default:
        more = true;
    }
  }
  if (lng !== bytes || lat !== bytes || ago !== bytes) {
    throw new RangeError("columns of a frame differ in length");
  }
  place.count = bytes / 4;
  return more;
}

const columns: Moves = {
  count: 0,
  slots: new Uint32Array(0),
  lng: new Int32Array(0),
  lat: new Int32Array(0),
  heading: null,
  speed: null,
  ago: new Uint32Array(0),
  baseMs: 0,
};

function moves(b: Bytes, sink: ThingSink): void {
  if (!sink.moves) {
    eachMove(b, sink);
    return;
  }
  const { count, heading, speed } = place;
  if (count === 0) return;
  columns.count = count;
  columns.baseMs = place.baseMs;
  columns.slots = b.u32s(place.slot, count);
  columns.lng = b.i32s(place.lng, count);
  columns.lat = b.i32s(place.lat, count);
  columns.heading = heading < 0 ? null : b.u16s(heading, count);
  columns.speed = speed < 0 ? null : b.u16s(speed, count);
  columns.ago = b.u32s(place.ago, count);
  sink.moves(columns);
}

function eachMove(b: Bytes, sink: ThingSink): void {
  const { slot, lng, lat, heading, speed, ago, count, baseMs } = place;
  for (let i = 0; i < count; i++) {
    const x = b.i32(lng + 4 * i);
    const y = b.i32(lat + 4 * i);
    const h = heading < 0 ? UNKNOWN_16 : b.u16(heading + 2 * i);
    const v = speed < 0 ? UNKNOWN_16 : b.u16(speed + 2 * i);
    const before = b.u32(ago + 4 * i);
    sink.move(
      b.u32(slot + 4 * i),
      x === UNPLACED ? NaN : x / 1e6,
      y === UNPLACED ? NaN : y / 1e6,
      h === UNKNOWN_16 ? NaN : h / 100,
      v === UNKNOWN_16 ? NaN : v / 100,
      before === NEVER ? 0 : baseMs - before,
    );
  }
}

function announcement(
  b: Bytes,
  start: number,
  end: number,
  sink: ThingSink,
): void {
  let slot = 0;
  let id = "";
  let feed = "";
  let name = "";
  let attribution = "";
  let simulated = false;
  let staleMs = 0;
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) slot = b.int;
    else if (b.num === 2) id = b.text();
    else if (b.num === 3) feed = b.word();
    else if (b.num === 4) name = b.text();
    else if (b.num === 5) attribution = b.word();
    else if (b.num === 6) simulated = b.int !== 0;
    else if (b.num === 7) staleMs = b.int;
  }
  const { kind } = place;
  sink.announce(slot, {
    id,
    feed,
    kind,
    name,
    attribution,
    simulated,
    staleMs,
  });
}

function column(b: Bytes, start: number, end: number, sink: ThingSink): void {
  let property = "";
  let unit = "";
  let slots = 0;
  let count = 0;
  let values = 0;
  let numbers = 0;
  let agos = 0;
  let quality = -1;
  let truth = false;
  for (let at = start; at < end;) {
    at = b.next(at, end);
    const n = b.end - b.start;
    if (b.num === 1) property = b.word();
    else if (b.num === 2) unit = b.word();
    else if (b.num === 3) [slots, count] = [b.start, n / 4];
    else if (b.num === 4) [values, numbers] = [b.start, n / 8];
    else if (b.num === 5) agos = n === 4 * count ? b.start : -1;
    else if (b.num === 6) quality = n === count ? b.start : -1;
    else if (b.num === 8) truth = b.int !== 0;
  }
  const base = place.baseMs;
  const atMs = (i: number) => {
    const ago = agos < 0 ? NEVER : b.u32(agos + 4 * i);
    return ago === NEVER ? 0 : base - ago;
  };
  const judged = (i: number): Quality =>
    quality < 0 ? "good" : (QUALITIES[b.u8(quality + i)] ?? "suspect");
  for (let i = 0; i < count && i < numbers; i++) {
    const v = b.f64(values + 8 * i);
    const slot = b.u32(slots + 4 * i);
    sink.value(slot, property, unit, truth ? v !== 0 : v, atMs(i), judged(i));
  }
  for (let at = start, i = 0; numbers === 0 && at < end;) {
    at = b.next(at, end);
    if (b.num !== 7 || i >= count) continue;
    const slot = b.u32(slots + 4 * i);
    sink.value(slot, property, unit, b.word(), atMs(i), judged(i));
    i++;
  }
}
