import { describe, expect, it } from "vitest";
import { readRow } from "../../api/feeds";
import { kept, lineOf, matching, sorted, type Line } from "./table";

const NOW = Date.parse("2026-11-27T07:00:00Z");
const line = (name: string, ageS: number | null, more: object = {}): Line =>
  lineOf(
    readRow({
      name,
      state: "ok",
      interval_s: 60,
      last_success:
        ageS === null ? null : new Date(NOW - ageS * 1000).toISOString(),
      ...more,
    }),
    NOW,
  );
const names = (lines: readonly Line[]) => lines.map((l) => l.feed.name);

describe("how a feed stands", () => {
  it.each([
    ["ok", 10, "ok"],
    ["ok", 500, "late"],
    ["ok", null, "waiting"],
    ["failing", 1, "failing"],
    ["off", 1, "off"],
  ])("state %s, heard %s s ago: %s", (state, ageS, stand) => {
    expect(line("a", ageS, { state }).stand).toBe(stand);
  });
});

describe("the order", () => {
  const lines = [
    line("fine", 5, { items_per_minute: 3 }),
    line("gone", 500, { state: "failing", rejects: 2 }),
    line("held", 5, { state: "failing", quarantined: 2, lag_ms: 900 }),
    line("new", null),
    line("old", 200),
    line("sleeps", null, { state: "off" }),
  ];
  it("is the worst first, and of those what waits for a decision", () => {
    expect(names(sorted(lines, "worst"))).toEqual([
      "held",
      "gone",
      "old",
      "new",
      "fine",
      "sleeps",
    ]);
  });
  it.each([
    ["name", "fine"],
    ["age", "new"],
    ["lag", "held"],
    ["rate", "fine"],
    ["rejects", "gone"],
    ["held", "held"],
  ] as const)("by %s begins with %s", (by, first) => {
    expect(names(sorted(lines, by))[0]).toBe(first);
  });
  it("stays under the pointer; what is new comes last, what has gone goes", () => {
    expect(names(kept(lines, ["new", "missing", "fine"])).slice(0, 2)).toEqual([
      "new",
      "fine",
    ]);
  });
});

describe("those asked for", () => {
  const lines = [
    line("awlr", 5, { agency: "pupr", format: "json", quarantined: 1 }),
    line("usgs", 5, { format: "usgs", reason: "dns: no such host" }),
  ];
  it.each([
    ["", "", 2],
    ["PUPR json", "", 1],
    ["pupr usgs", "", 0],
    ["no such host", "", 1],
    ["", "held", 1],
    ["", "ok", 2],
    ["", "failing", 0],
  ] as const)("%j, state %j: %i", (text, stand, n) => {
    expect(matching(lines, { text, stand })).toHaveLength(n);
  });
});
