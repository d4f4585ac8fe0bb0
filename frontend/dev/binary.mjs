// Writes the binary form of the live socket (server/wire/proto) out of plain objects, for the stand-in server alone.

const utf8 = (text) => Buffer.from(text);

function varint(n) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(n)));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(out);
}

/** A field of bytes, text or a message. */
const bytes = (num, body) =>
  Buffer.concat([varint((num << 3) | 2), varint(body.length), body]);
const text = (num, value) =>
  value ? bytes(num, utf8(value)) : Buffer.alloc(0);
const int = (num, value) =>
  value ? Buffer.concat([varint(num << 3), varint(value)]) : Buffer.alloc(0);
const double = (num, value) => {
  const b = Buffer.alloc(8);
  b.writeDoubleLE(value);
  return Buffer.concat([varint((num << 3) | 1), b]);
};
const json = (num, value) => bytes(num, utf8(JSON.stringify(value)));

const column = (Kind, values) => {
  const array = Kind.from(values);
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
};
const micro = (degrees) => Math.round(degrees * 1e6);
const ms = (iso) => (iso ? Date.parse(iso) : 0);
const ago = (base, at) => (at ? Math.max(0, base - at) : 0xffffffff);

export const hello = (time, version, storage) =>
  bytes(1, Buffer.concat([int(1, time), text(2, version), text(3, storage)]));
export const feedsMessage = (feeds) => bytes(6, json(1, feeds));
export const statsMessage = (s) =>
  bytes(
    7,
    Buffer.concat([
      double(1, s.event_p50),
      double(2, s.event_p99),
      double(3, s.receipt_p50),
      double(4, s.receipt_p99),
    ]),
  );

function announcement(slot, t) {
  return bytes(
    3,
    Buffer.concat([
      int(1, slot),
      text(2, t.id),
      text(3, t.feed),
      text(4, t.name),
      text(5, t.attribution),
      int(6, t.simulated ? 1 : 0),
      int(7, t.stale_after ? ms(t.stale_after) - ms(t.at) : 0),
    ]),
  );
}

/** Columns of all numeric values, one per property and unit. */
function columns(base, rows) {
  const found = new Map();
  for (const { slot, thing } of rows) {
    for (const [property, r] of Object.entries(thing.state ?? {})) {
      if (typeof r.value !== "number") continue;
      const key = `${property}\n${r.unit}`;
      found.set(key, [...(found.get(key) ?? []), [slot, r]]);
    }
  }
  return [...found].map(([key, list]) => {
    const [property, unit] = key.split("\n");
    return bytes(
      10,
      Buffer.concat([
        text(1, property),
        text(2, unit),
        bytes(
          3,
          column(
            Uint32Array,
            list.map(([slot]) => slot),
          ),
        ),
        bytes(
          4,
          column(
            Float64Array,
            list.map(([, r]) => r.value),
          ),
        ),
        bytes(
          5,
          column(
            Uint32Array,
            list.map(([, r]) => ago(base, ms(r.at))),
          ),
        ),
      ]),
    );
  });
}

/** One ThingFrame, field 1 of Things and Snapshot. `rows`: {slot, thing} of one kind. */
export function thingFrame(base, kind, rows, announce) {
  const unknown = -0x80000000;
  const lng = rows.map(({ thing: t }) =>
    t.lng === null ? unknown : micro(t.lng),
  );
  const lat = rows.map(({ thing: t }) =>
    t.lat === null ? unknown : micro(t.lat),
  );
  return bytes(
    1,
    Buffer.concat([
      text(1, kind),
      int(2, base),
      ...(announce ? rows.map((r) => announcement(r.slot, r.thing)) : []),
      bytes(
        4,
        column(
          Uint32Array,
          rows.map((r) => r.slot),
        ),
      ),
      bytes(5, column(Int32Array, lng)),
      bytes(6, column(Int32Array, lat)),
      ...(rows.some((r) => r.thing.heading !== undefined)
        ? [
            bytes(
              7,
              column(
                Uint16Array,
                rows.map((r) =>
                  r.thing.heading === undefined
                    ? 0xffff
                    : Math.round(r.thing.heading * 100),
                ),
              ),
            ),
          ]
        : []),
      bytes(
        9,
        column(
          Uint32Array,
          rows.map((r) => ago(base, ms(r.thing.at))),
        ),
      ),
      ...columns(base, rows),
    ]),
  );
}

/** Frames of Things as the JSON form has them; the slot is the place in the list. */
export function thingFrames(base, things) {
  const kinds = new Map();
  things.forEach((thing, slot) => {
    kinds.set(thing.kind, [...(kinds.get(thing.kind) ?? []), { slot, thing }]);
  });
  return [...kinds].map(([kind, rows]) => thingFrame(base, kind, rows, true));
}

const SEVERITIES = ["", "Extreme", "Severe", "Moderate", "Minor", "Unknown"];

/**
 * One CellFrame, field 2 of Cells and Snapshot. Cells: {slot, cell, resolution, ring, count, severity, at, stale, unobserved}. As the server
 * does, outlines are told with a snapshot and of what is new.
 */
export function cellFrame(base, layer, cells, outlines = true) {
  const outline = (c) =>
    bytes(
      3,
      Buffer.concat([
        int(1, c.slot),
        text(2, c.cell),
        bytes(3, column(Int32Array, c.ring.flat().map(micro))),
        int(4, c.resolution),
      ]),
    );
  const of = (Kind, pick) => column(Kind, cells.map(pick));
  return bytes(
    2,
    Buffer.concat([
      text(1, layer),
      int(2, base),
      ...(outlines ? cells.map(outline) : []),
      bytes(4, text(1, layer)),
      bytes(
        5,
        of(Uint32Array, (c) => c.slot),
      ),
      bytes(
        6,
        of(Uint32Array, (c) => c.count),
      ),
      bytes(
        7,
        of(Float64Array, () => Number.NaN),
      ),
      bytes(
        8,
        of(Uint8Array, (c) => SEVERITIES.indexOf(c.severity ?? "")),
      ),
      bytes(
        9,
        of(Uint32Array, (c) => ago(base, c.at)),
      ),
      bytes(
        10,
        of(Int32Array, (c) => c.stale - base),
      ),
      bytes(
        11,
        of(Uint8Array, (c) => (c.unobserved ? 1 : 0)),
      ),
      bytes(
        12,
        of(Uint16Array, () => 0),
      ),
    ]),
  );
}

/** `frames`: of Things or of cells. */
export const snapshotMessage = (cursor, frames, cases, feeds) =>
  bytes(
    2,
    Buffer.concat([
      ...frames,
      text(4, cursor),
      ...(cases.incidents ?? []).map((doc) => json(5, doc)),
      ...(cases.alerts ?? []).map((doc) => json(6, doc)),
      json(11, feeds),
    ]),
  );

/** One document of the case stream, with its place in it. */
export const caseMessage = (noun, cursor, doc) =>
  bytes(5, Buffer.concat([text(1, noun), text(2, cursor), json(3, doc)]));

export const cellsMessage = (frames) => bytes(4, Buffer.concat(frames));
export const thingsMessage = (frames) => bytes(3, Buffer.concat(frames));
