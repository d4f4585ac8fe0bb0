import { describe, expect, it } from "vitest";
import type { Alarm } from "../../wire/wire";
import { alarm, at, NOON } from "./queue.fixture";
import {
  actLeft,
  grave,
  inBulk,
  isFor,
  mayShelve,
  membersOf,
  NO_FILTERS,
  ordered,
  piles,
  reasons,
  shelfSteps,
  shown,
  together,
} from "./queue";

describe("the queue", () => {
  it("stands by priority, then the newest first, however they came", () => {
    const list = [
      alarm("a", { priority: "P3", presented_at: at(50) }),
      alarm("b", { presented_at: at(10) }),
      alarm("c", { presented_at: at(20) }),
      alarm("d", { priority: "P1", presented_at: at(1) }),
    ];
    const ids = (l: readonly Alarm[]) => l.map((a) => a.id).join("");
    expect(ids(ordered(list))).toBe("dcba");
    expect(ids(ordered([...list].reverse()))).toBe("dcba");
  });

  it("keeps what is not presented out, and counts it by its reason", () => {
    const list = [
      alarm("a"),
      alarm("b", { presented: false, withheld: "group", group: "a" }),
      alarm("c", { presented: false, withheld: "plan", state: "suppressed" }),
      alarm("d", { presented: false, withheld: "group", group: "a" }),
      alarm("e", { presented: false, withheld: "shelved", state: "shelved" }),
      alarm("f", { state: "acknowledged" }),
    ];
    expect(piles(list)).toEqual({
      queue: 2,
      raised: 1,
      shelved: 1,
      withheld: 4,
    });
    expect(reasons(list)).toEqual([
      ["group", 2],
      ["plan", 1],
      ["shelved", 1],
    ]);
    const held = { ...NO_FILTERS, pile: "withheld" as const, why: "plan" };
    expect(shown(list, held, "").map((a) => a.id)).toEqual(["c"]);
    expect(membersOf(list, "a").map((a) => a.id)).toEqual(["b", "d"]);
  });

  it("takes the newer of what is told and what was read", () => {
    const told = [alarm("a", { version: 3 }), alarm("b")];
    const read = [
      alarm("a", { version: 2, presented: false }),
      alarm("b", { version: 2, presented: false }),
      alarm("c", { presented: false }),
    ];
    const all = together(told, read);
    expect(all.map((a) => `${a.id}${a.version}`).sort()).toEqual([
      "a3",
      "b2",
      "c1",
    ]);
    expect(together(told, [])).toBe(told);
  });

  it("finds by event, place, source, rule and sensor", () => {
    const list = [
      alarm("a", { event: "Galodo", thing: "awlr:dev-12" }),
      alarm("b", { area_name: "Sirukam", rule: "tanah-02" }),
    ];
    const ids = (text: string) =>
      shown(list, { ...NO_FILTERS, text }, "").map((a) => a.id);
    expect(ids("galod")).toEqual(["a"]);
    expect(ids("DEV-12")).toEqual(["a"]);
    expect(ids("tanah-02 ")).toEqual(["b"]);
    expect(ids("nothing")).toEqual([]);
  });

  it("is everybody's where no desk is named, and another's where one is", () => {
    expect(isFor(alarm("a"), "Meja 1")).toBe(true);
    expect(isFor(alarm("a", { desk: "Meja 2" }), "Meja 1")).toBe(false);
    expect(isFor(alarm("a", { desk: "Meja 2" }), "")).toBe(true);
    const f = { ...NO_FILTERS, mine: true };
    expect(shown([alarm("a", { desk: "Meja 2" })], f, "Meja 1")).toEqual([]);
  });

  it("counts down while nobody has taken note, and past it", () => {
    const a = alarm("a", { act_by: at(60) });
    expect(actLeft(a, NOON)).toBe(60_000);
    expect(actLeft(a, NOON + 90_000)).toBe(-30_000);
    expect(actLeft({ ...a, state: "acknowledged" }, NOON)).toBeNull();
    expect(actLeft(alarm("b"), NOON)).toBeNull();
  });

  it("never takes P1 in bulk, nor what is not in the queue", () => {
    const list = [
      alarm("a", { priority: "P1" }),
      alarm("b"),
      alarm("c", { presented: false, withheld: "group" }),
      alarm("d", { state: "acknowledged" }),
      alarm("e", { priority: "P3" }),
    ];
    expect(inBulk(list).map((a) => a.id)).toEqual(["b", "e"]);
  });

  it("a latched P1 waits though its condition is over", () => {
    const over = { priority: "P1", state: "cleared", latched: true } as const;
    expect(grave(alarm("a", over))).toBe(true);
    expect(grave(alarm("a", { ...over, latched: false }))).toBe(false);
  });

  it("lets a supervisor shelve P1 for an hour, an operator P2 for eight", () => {
    const operator = { act: true, urgent: false };
    const p1 = alarm("a", { priority: "P1" });
    expect(mayShelve(p1, operator)).toBe(false);
    expect(mayShelve(p1, { act: true, urgent: true })).toBe(true);
    expect(mayShelve(alarm("b"), operator)).toBe(true);
    expect(mayShelve(alarm("c", { state: "shelved" }), operator)).toBe(false);
    expect(mayShelve(alarm("d", { code: "flood" }), operator)).toBe(false);
    expect(Math.max(...shelfSteps("P1"))).toBe(60);
    expect(Math.max(...shelfSteps("P3"))).toBe(480);
  });
});
