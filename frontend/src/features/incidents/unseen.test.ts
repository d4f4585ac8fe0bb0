import { describe, expect, it } from "vitest";
import type { Incident } from "../../wire/wire";
import { alarm } from "../alarms/queue.fixture";
import { unseenFirst, unseenSince } from "./unseen";

const AT = "2026-11-22T07:00:00Z";
const climbed = [{ to: "wall", at: AT, why: "unpainted" }];
const one = (part: object) =>
  alarm("a", {
    incident: "i1",
    active: true,
    state: "raised",
    seen: null,
    presented_at: AT,
    climbed,
    ...part,
  });

describe("an incident that nobody has seen", () => {
  it("is one whose alarm has climbed, since it was presented", () => {
    expect(unseenSince([one({})]).get("i1")).toBe(Date.parse(AT));
    expect(
      unseenSince([one({ presented_at: null, raised_at: AT })]).get("i1"),
    ).toBe(Date.parse(AT));
  });
  it("is none once somebody has seen it, or before it climbs, or when it is over", () => {
    const sight = { at: AT, by: "user:dewi", desk: "a" };
    for (const part of [
      { seen: sight },
      { climbed: [] },
      { climbed: undefined },
      { active: false },
      { state: "shelved" },
      { incident: undefined },
    ])
      expect(unseenSince([one(part)]).size, JSON.stringify(part)).toBe(0);
  });
  it("waits since the first of its alarms, and stands before all others", () => {
    const earlier = "2026-11-22T06:58:00Z";
    const since = unseenSince([one({}), one({ presented_at: earlier })]);
    expect(since.get("i1")).toBe(Date.parse(earlier));
    const rows = ["i0", "i1", "i2"].map((id) => ({ id }) as Incident);
    expect(unseenFirst(rows, since).map((i) => i.id)).toEqual([
      "i1",
      "i0",
      "i2",
    ]);
  });
});
