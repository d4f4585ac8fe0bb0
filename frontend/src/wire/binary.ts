// The binary form of the live socket (server/wire/proto). Frames of Things and cells are read in place into the sinks; every other
// message comes back in the shape of its JSON form. Unknown messages and fields are passed over: the server may be newer.
import { Bytes } from "./bytes";
import { readCellFrame } from "./cellframe";
import type { CellSink, ThingSink } from "./sinks";
import { readThingFrame } from "./thingframe";

/** Every live message has a type; the rest is the noun's business (wire.ts). */
export interface Message {
  type: string;
  cursor?: string;
  [field: string]: unknown;
}

// Fields of ServerMessage.
const HELLO = 1;
const SNAPSHOT = 2;
const THINGS = 3;
const CELLS = 4;
const CASE = 5;
const FEEDS = 6;
const STATS = 7;
const ERROR = 8;
const PONG = 9;
const WALL = 10;

const DOCUMENTS = new Map([
  [5, "incidents"],
  [6, "alerts"],
  [7, "alarms"],
  [8, "reports"],
  [13, "suggestions"],
  [14, "plans"],
  [15, "statements"],
  [16, "statuses"],
  [9, "dispatches"],
  [10, "units"],
]);

const b = new Bytes();

/**
 * Reads one message. Things and cells go to the sinks and give null, as does a message that this screen does not know; a snapshot goes
 * to the sinks, which it resets first, and comes back without rows. Throws RangeError or SyntaxError where the bytes are no message.
 */
export function readMessage(
  bytes: Uint8Array,
  things: ThingSink,
  cells: CellSink,
): Message | null {
  b.take(bytes);
  if (b.next(0, b.length) !== b.length) {
    throw new RangeError("more than one message");
  }
  const { num, start, end } = b;
  switch (num) {
    case HELLO:
      return hello(start, end);
    case SNAPSHOT:
      return snapshot(start, end, things, cells);
    case THINGS:
      readThings(start, end, things);
      return null;
    case CELLS:
      // Also of a message that is broken further on: what was read of it is known from here on.
      try {
        for (let at = start; at < end;) {
          at = b.next(at, end);
          if (b.num === 2) readCellFrame(b, b.start, b.end, cells);
        }
      } finally {
        cells.done();
      }
      return null;
    case CASE:
      return caseOf(start, end);
    case FEEDS:
      return feeds(start, end);
    case STATS:
      return stats(start, end);
    case ERROR:
      return error(start, end);
    case PONG:
      return pong(start, end);
    case WALL:
      return wall(start, end);
    default:
      return null;
  }
}

/** What rows a message has: "" for one that has none. A message of things or cells without rows has its own. */
export function rowsOf(bytes: Uint8Array): "things" | "cells" | "" {
  b.take(bytes);
  b.next(0, b.length);
  const { num, start, end } = b;
  if (num === THINGS) return "things";
  if (num === CELLS) return "cells";
  for (let at = start; num === SNAPSHOT && at < end;) {
    at = b.next(at, end);
    if (b.num === 1) return "things";
    if (b.num === 2) return "cells";
  }
  return "";
}

export function isSnapshot(bytes: Uint8Array): boolean {
  return bytes[0] === ((SNAPSHOT << 3) | 2);
}

/** A slot may be freed and given anew within one message: what left is taken away first. */
function readThings(start: number, end: number, sink: ThingSink): void {
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num !== 2) continue;
    for (let i = b.start; i + 4 <= b.end; i += 4) sink.remove(b.u32(i));
  }
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) readThingFrame(b, b.start, b.end, sink);
  }
  sink.done();
}

function snapshot(
  start: number,
  end: number,
  things: ThingSink,
  cells: CellSink,
): Message {
  const lists: Record<string, unknown[]> = {};
  for (const name of DOCUMENTS.values()) lists[name] = [];
  let resumed = false;
  let cursor = "";
  let states: unknown = [];
  things.reset();
  cells.reset();
  for (let at = start; at < end;) {
    at = b.next(at, end);
    const name = DOCUMENTS.get(b.num);
    if (name) lists[name]?.push(b.json());
    else if (b.num === 1) readThingFrame(b, b.start, b.end, things);
    else if (b.num === 2) readCellFrame(b, b.start, b.end, cells);
    else if (b.num === 3) resumed = b.int !== 0;
    else if (b.num === 4) cursor = b.text();
    else if (b.num === 11) states = b.json();
  }
  things.done();
  cells.done();
  return {
    type: "snapshot",
    resumed,
    cursor,
    things: [],
    cells: [],
    ...lists,
    feeds: states,
  };
}

const instant = (ms: number) => (ms === 0 ? null : new Date(ms).toISOString());

function hello(start: number, end: number): Message {
  let time = 0;
  let version = "";
  let storage = "";
  const rights: string[] = [];
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) time = b.int;
    else if (b.num === 2) version = b.text();
    else if (b.num === 3) storage = b.text();
    else if (b.num === 4) rights.push(b.text());
  }
  return {
    type: "hello",
    server_time: instant(time),
    version,
    storage,
    rights,
  };
}

function caseOf(start: number, end: number): Message {
  let noun = "";
  let cursor = "";
  let doc: unknown = null;
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) noun = b.word();
    else if (b.num === 2) cursor = b.text();
    else if (b.num === 3) doc = b.json();
  }
  return { type: noun, cursor, [noun]: doc };
}

function feeds(start: number, end: number): Message {
  let docs: unknown = [];
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) docs = b.json();
  }
  return { type: "feed", feeds: docs };
}

function wall(start: number, end: number): Message {
  let doc: unknown = null;
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) doc = b.json();
  }
  return { type: "wall", wall: doc };
}

function stats(start: number, end: number): Message {
  const latency = {
    event_p50: 0,
    event_p99: 0,
    receipt_p50: 0,
    receipt_p99: 0,
  };
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) latency.event_p50 = b.f64(b.start);
    else if (b.num === 2) latency.event_p99 = b.f64(b.start);
    else if (b.num === 3) latency.receipt_p50 = b.f64(b.start);
    else if (b.num === 4) latency.receipt_p99 = b.f64(b.start);
  }
  return { type: "stats", latency_ms: latency };
}

function error(start: number, end: number): Message {
  let code = "";
  let message = "";
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) code = b.text();
    else if (b.num === 2) message = b.text();
  }
  return { type: "error", code, message };
}

function pong(start: number, end: number): Message {
  let time = 0;
  for (let at = start; at < end;) {
    at = b.next(at, end);
    if (b.num === 1) time = b.int;
  }
  return { type: "pong", server_time: instant(time) };
}
