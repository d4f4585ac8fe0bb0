import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { CellSink, ThingSink } from "../wire/sinks";
import { Rows } from "./rows";

const golden = (name: string) =>
  new Uint8Array(readFileSync(`../server/wire/testdata/${name}.bin`));
const EMPTY_CELLS = Uint8Array.of(0x22, 0);

/** How often the rows were thrown away, and whether a frame was asked for after it. */
function counted() {
  const seen = { reset: 0, done: 0 };
  const no = () => undefined;
  const sink: ThingSink & CellSink = {
    reset: () => seen.reset++,
    done: () => seen.done++,
    announce: no,
    move: no,
    value: no,
    remove: no,
    outline: no,
    cell: no,
  };
  return { seen, sink };
}

it("a message of the other sort replaces what is shown, one of the same adds to it", () => {
  const things = counted();
  const cells = counted();
  const rows = new Rows(things.sink, cells.sink);
  rows.read(golden("snapshot"));
  expect([things.seen.reset, cells.seen.reset]).toEqual([1, 1]);
  rows.read(golden("things"));
  expect([things.seen.reset, cells.seen.reset]).toEqual([1, 1]);
  rows.read(EMPTY_CELLS);
  expect([things.seen.reset, cells.seen.reset]).toEqual([2, 2]);
  expect(things.seen.done).toBe(3);
  rows.read(golden("cells"));
  expect([things.seen.reset, cells.seen.reset]).toEqual([2, 2]);
  rows.read(golden("things"));
  expect([things.seen.reset, cells.seen.reset]).toEqual([3, 3]);
});

it("other messages leave the rows alone and are handed back", () => {
  const things = counted();
  const cells = counted();
  const rows = new Rows(things.sink, cells.sink);
  rows.read(golden("things"));
  const before = { ...things.seen };
  expect(rows.read(golden("case"))?.type).toBe("incident");
  expect(rows.read(golden("stats"))?.type).toBe("stats");
  expect(things.seen).toEqual(before);
});
