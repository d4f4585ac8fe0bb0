// The golden payloads that server/wire's own test writes, read here value by value; and the small reader held against protobuf-es.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readMessage, rowsOf } from "./binary";
import {
  ServerMessageSchema,
  type ThingFrame,
} from "./gen/kentongan/v1/live_pb";
import {
  NEVER,
  UNKNOWN_16,
  UNPLACED,
  type CellSink,
  type Moves,
  type ThingSink,
} from "./sinks";

const BASE = 1795417452000;

function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`../server/wire/testdata/${name}.bin`));
}

/** Writes down what it is told, in order. */
class Notes implements ThingSink, CellSink {
  said: unknown[] = [];
  reset = () => void this.said.push(["reset"]);
  announce = (...a: unknown[]) => void this.said.push(["announce", ...a]);
  move = (...a: unknown[]) => void this.said.push(["move", ...a]);
  value = (...a: unknown[]) => void this.said.push(["value", ...a]);
  remove = (...a: unknown[]) => void this.said.push(["remove", ...a]);
  outline = (...a: unknown[]) => void this.said.push(["outline", ...a]);
  cell = (...a: unknown[]) => void this.said.push(["cell", ...a]);
  done = () => void this.said.push(["done"]);
}

function read(bytes: Uint8Array) {
  const things = new Notes();
  const cells = new Notes();
  const message = readMessage(bytes, things, cells);
  return { message, things: things.said, cells: cells.said };
}

const GAUGE = [
  [
    "announce",
    7,
    {
      id: "awlr:dev-12",
      feed: "awlr",
      kind: "river_gauge",
      name: "AWLR Batang Lembang",
      attribution: "BWS Sumatera V",
      simulated: false,
      staleMs: 74412,
    },
  ],
  ["move", 7, 100.63, -0.83, NaN, NaN, BASE - 1000],
  ["value", 7, "alarm", "", true, BASE - 1000, "good"],
  ["value", 7, "gate", "", 'Siaga "II" <b>', BASE - 1000, "received"],
  ["value", 7, "water_level", "m", 3.4, BASE - 1000, "good"],
];

const MOVES = [
  ["move", 70001, 100.654321, -0.789012, 269.75, 10, BASE - 250],
  ["move", 70002, NaN, NaN, NaN, NaN, 0],
];

const CELLS = [
  [
    "cell",
    1,
    "river_gauge",
    12,
    3.4,
    "Severe",
    BASE - 1500,
    BASE + 60000,
    ["awlr", "telemetri"],
    false,
  ],
  [
    "cell",
    2,
    "river_gauge",
    1,
    NaN,
    "",
    BASE - 900000,
    BASE - 600000,
    [],
    true,
  ],
  [
    "cell",
    70000,
    "river_gauge",
    0,
    NaN,
    "",
    0,
    0,
    ["awlr", "telemetri"],
    false,
  ],
];

describe("golden payloads", () => {
  it("things: what left, then what moved, then names and values", () => {
    const { message, things, cells } = read(golden("things"));
    expect(message).toBeNull();
    expect(things).toEqual([
      ["remove", 9],
      ["remove", 70003],
      ...MOVES,
      ...GAUGE,
      ["done"],
    ]);
    expect(cells).toEqual([]);
  });

  it("cells", () => {
    const { message, things, cells } = read(golden("cells"));
    expect(message).toBeNull();
    expect(things).toEqual([]);
    const [outline, ...rows] = cells as [unknown[], ...unknown[][]];
    expect(outline.slice(0, 4)).toEqual(["outline", 1, "86651701fffffff", 6]);
    const ring = outline[4] as Float64Array;
    expect(ring.length).toBe(12);
    for (let i = 0; i < 12; i += 2) {
      expect(Math.abs((ring[i] ?? 0) - (ring[0] ?? 0))).toBeLessThan(0.1);
      expect(Math.abs((ring[i + 1] ?? 0) - (ring[1] ?? 0))).toBeLessThan(0.1);
    }
    expect(rows).toEqual([...CELLS, ["done"]]);
  });

  it("a snapshot empties the sinks, fills them and comes back without rows", () => {
    const { message, things, cells } = read(golden("snapshot"));
    expect(message).toEqual({
      type: "snapshot",
      resumed: true,
      cursor: "e7f3:184",
      things: [],
      cells: [],
      incidents: [{ id: "01JD" }, { id: "01JE" }],
      alerts: [{ id: "A1" }],
      alarms: [{ id: "L1" }],
      reports: [],
      suggestions: [{ id: "S1" }],
      plans: [{ id: "P1" }],
      statements: [{ id: "T1" }],
      statuses: [{ id: "area" }],
      dispatches: [],
      units: [],
      feeds: [expect.objectContaining({ name: "awlr", state: "ok" })],
    });
    expect(things).toEqual([
      ["reset"],
      ...GAUGE,
      [
        "announce",
        70001,
        {
          id: "patrol:s-2",
          feed: "patrol",
          kind: "unit",
          name: "Patroli 2",
          attribution: "",
          simulated: true,
          staleMs: 14000,
        },
      ],
      [
        "announce",
        70002,
        {
          id: "patrol:s-3",
          feed: "patrol",
          kind: "unit",
          name: "Patroli 3",
          attribution: "",
          simulated: false,
          staleMs: 0,
        },
      ],
      ...MOVES,
      ["value", 70001, "status", "", "siaga", BASE - 250, "good"],
      ["done"],
    ]);
    expect(cells[0]).toEqual(["reset"]);
    expect(cells.slice(2)).toEqual([...CELLS, ["done"]]);
  });

  it("cases and control come back in the shape of the JSON form", () => {
    const told = (name: string) => read(golden(name)).message;
    expect(told("case")).toEqual({
      type: "incident",
      cursor: "e7f3:184",
      incident: { id: "01JD", status: "new" },
    });
    expect(told("hello")).toEqual({
      type: "hello",
      server_time: new Date(BASE).toISOString(),
      version: "0.1.0",
      storage: "durable",
      rights: ["incident.read", "thing.read"],
    });
    expect(told("feeds")).toEqual({
      type: "feed",
      feeds: [
        expect.objectContaining({ state: "late", reason: "diam 5 menit" }),
      ],
    });
    expect(told("stats")).toEqual({
      type: "stats",
      latency_ms: {
        event_p50: 120.5,
        event_p99: 900,
        receipt_p50: 12.25,
        receipt_p99: 0,
      },
    });
    expect(told("error")).toEqual({
      type: "error",
      code: "bad_view",
      message: "bbox: 3 numbers",
    });
    expect(told("pong")).toEqual({
      type: "pong",
      server_time: new Date(BASE).toISOString(),
    });
  });

  it("tells what rows a message has", () => {
    expect(rowsOf(golden("things"))).toBe("things");
    expect(rowsOf(golden("cells"))).toBe("cells");
    expect(rowsOf(golden("snapshot"))).toBe("things");
    expect(rowsOf(golden("hello"))).toBe("");
  });
});

describe("faulty and foreign bytes", () => {
  it("are refused without a word to anyone but the sinks, at whatever byte they break off", () => {
    for (const name of ["things", "cells", "snapshot", "case", "hello"]) {
      const whole = golden(name);
      for (let n = 0; n < whole.length; n++) {
        expect(() => read(whole.subarray(0, n))).toThrow();
      }
    }
  });

  it("never hang or tell more than there is when bytes are changed", () => {
    for (const name of ["things", "cells", "snapshot"]) {
      const whole = golden(name);
      for (let i = 0; i < whole.length; i++) {
        for (const value of [0, 0x7f, 0x80, 0xff]) {
          const bytes = whole.slice();
          bytes[i] = value;
          try {
            const { things, cells } = read(bytes);
            expect(things.length + cells.length).toBeLessThan(200);
          } catch (fault) {
            expect(fault).toBeInstanceOf(Error);
          }
        }
      }
    }
  });

  it("of a newer server are passed over", () => {
    // Field 31 of ServerMessage, and field 99 inside a pong.
    expect(read(Uint8Array.of(0xfa, 1, 1, 0)).message).toBeNull();
    const pong = Uint8Array.of(0x4a, 8, 0x9a, 6, 1, 7, 8, 0xe8, 7, 0);
    pong[1] = 7;
    expect(read(pong.subarray(0, 9)).message).toEqual({
      type: "pong",
      server_time: new Date(1000).toISOString(),
    });
  });
});

/** A frame as protobuf-es reads it, columns by typed arrays. */
function movesOf(frame: ThingFrame): unknown[] {
  const view = (b: Uint8Array) =>
    new DataView(b.buffer, b.byteOffset, b.byteLength);
  const [slot, lng, lat, ago] = [
    view(frame.slot),
    view(frame.lng),
    view(frame.lat),
    view(frame.ago),
  ];
  const out: unknown[] = [];
  for (let i = 0; i < frame.slot.length / 4; i++) {
    out.push([
      "move",
      slot.getUint32(4 * i, true),
      lng.getInt32(4 * i, true) / 1e6,
      lat.getInt32(4 * i, true) / 1e6,
      view(frame.heading).getUint16(2 * i, true) / 100,
      view(frame.speed).getUint16(2 * i, true) / 100,
      Number(frame.baseMs) - ago.getUint32(4 * i, true),
    ]);
  }
  return out;
}

/** n moved Things in as many frames as asked, by protobuf-es. */
export function city(n: number, frames: number): Uint8Array {
  const each = Math.ceil(n / frames);
  const u32 = (of: (i: number) => number, count: number) => {
    const out = new DataView(new ArrayBuffer(4 * count));
    for (let i = 0; i < count; i++) out.setUint32(4 * i, of(i) >>> 0, true);
    return new Uint8Array(out.buffer);
  };
  const u16 = (of: (i: number) => number, count: number) => {
    const out = new DataView(new ArrayBuffer(2 * count));
    for (let i = 0; i < count; i++) out.setUint16(2 * i, of(i), true);
    return new Uint8Array(out.buffer);
  };
  const list: Partial<ThingFrame>[] = [];
  for (let first = 0; first < n; first += each) {
    const count = Math.min(each, n - first);
    list.push({
      kind: "unit",
      baseMs: BigInt(BASE),
      slot: u32((i) => first + i, count),
      lng: u32((i) => 100_600_000 + first + i, count),
      lat: u32((i) => -800_000 - i, count),
      heading: u16((i) => (i * 37) % 36000, count),
      speed: u16((i) => i % 2000, count),
      ago: u32((i) => i % 250, count),
    });
  }
  return toBinary(
    ServerMessageSchema,
    // The generated init type asks for plain messages; these are.
    fromPlain(list),
  );
}

function fromPlain(list: Partial<ThingFrame>[]) {
  const message = fromBinary(ServerMessageSchema, Uint8Array.of(0x1a, 0));
  const things = message.message.value as { frames: Partial<ThingFrame>[] };
  things.frames = list.map((frame) => ({
    $typeName: "kentongan.v1.ThingFrame" as const,
    announced: [],
    columns: [],
    ...frame,
  }));
  return message;
}

describe("the small reader", () => {
  it("reads what protobuf-es reads", () => {
    const bytes = city(1000, 7);
    const message = fromBinary(ServerMessageSchema, bytes).message;
    if (message.case !== "things") throw new Error("no things");
    expect(read(bytes).things).toEqual([
      ...message.value.frames.flatMap(movesOf),
      ["done"],
    ]);
  });

  it("decodes 10,000 updates (figure of issue 3)", () => {
    const bytes = city(10_000, 150);
    const columns = {
      lng: new Float64Array(10_000),
      lat: new Float64Array(10_000),
      heading: new Float32Array(10_000),
      speed: new Float32Array(10_000),
      at: new Float64Array(10_000),
    };
    const sink: ThingSink = {
      reset: () => undefined,
      announce: () => undefined,
      move(slot, lng, lat, heading, speed, atMs) {
        columns.lng[slot] = lng;
        columns.lat[slot] = lat;
        columns.heading[slot] = heading;
        columns.speed[slot] = speed;
        columns.at[slot] = atMs;
      },
      value: () => undefined,
      remove: () => undefined,
      done: () => undefined,
    };
    const nobody = new Notes();
    const times = (run: () => void) => {
      const all: number[] = [];
      for (let i = 0; i < 200; i++) {
        const from = performance.now();
        run();
        all.push(performance.now() - from);
      }
      return all.sort((a, b) => a - b)[100] ?? 0;
    };
    const ours = times(() => readMessage(bytes, sink, nobody));
    const es = times(() => fromBinary(ServerMessageSchema, bytes));
    console.info(
      `10,000 updates in 150 frames, ${(bytes.length / 10_000).toFixed(1)} bytes each: read into columns in ${ours.toFixed(2)} ms; protobuf-es without reading the columns ${es.toFixed(2)} ms`,
    );
    expect(columns.lng[9999]).toBeCloseTo(100.609999, 6);
    expect(ours).toBeLessThan(8);
  });
});

describe("moves in columns", () => {
  /** Takes whole columns and says what move() would have been told. */
  class Columns extends Notes {
    moves = (m: Moves) => {
      for (let i = 0; i < m.count; i++) {
        const [x = 0, y = 0] = [m.lng[i], m.lat[i]];
        const [h = UNKNOWN_16, v = UNKNOWN_16] = [m.heading?.[i], m.speed?.[i]];
        const ago = m.ago[i] ?? NEVER;
        this.move(
          m.slots[i],
          x === UNPLACED ? NaN : x / 1e6,
          y === UNPLACED ? NaN : y / 1e6,
          h === UNKNOWN_16 ? NaN : h / 100,
          v === UNKNOWN_16 ? NaN : v / 100,
          ago === NEVER ? 0 : m.baseMs - ago,
        );
      }
    };
  }

  it("say the same as one by one, wherever in memory the message lies", () => {
    const bytes = golden("things");
    for (let shift = 0; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const columns = new Columns();
      readMessage(moved.subarray(shift), columns, new Notes());
      expect(columns.said).toEqual(read(bytes).things);
    }
  });

  it("are refused where they end beyond the message", () => {
    const bytes = golden("things");
    expect(() => {
      readMessage(bytes.subarray(0, -9), new Columns(), new Notes());
    }).toThrow(RangeError);
  });
});
