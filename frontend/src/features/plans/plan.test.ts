import { describe, expect, it } from "vitest";
import type { Plan } from "../../wire/wire";
import { alarm } from "../alarms/queue.fixture";
import { heldBy, standing, stateAt } from "./plan";

const NOW = Date.UTC(2026, 10, 22, 7);
const iso = (h: number) => new Date(NOW + h * 3_600_000).toISOString();
const plan = (id: string, from: number, to: number, more: object = {}) =>
  ({
    id,
    state: "planned",
    from: iso(from),
    to: iso(to),
    ...more,
  }) as unknown as Plan;

describe("plans", () => {
  it("follow the clock, whatever they were when they were told", () => {
    expect(stateAt(plan("a", 1, 2), NOW)).toBe("planned");
    expect(stateAt(plan("a", 0, 2), NOW)).toBe("running");
    expect(stateAt(plan("a", -2, 0), NOW)).toBe("over");
    expect(stateAt(plan("a", -1, 1, { state: "cancelled" }), NOW)).toBe(
      "cancelled",
    );
  });

  it("stand while they run or are ahead, what runs first", () => {
    const all = [
      plan("ahead", 2, 3),
      plan("over", -3, -1),
      plan("runs", -1, 1),
    ];
    expect(standing(all, NOW).map((p) => p.id)).toEqual(["runs", "ahead"]);
  });

  it("know the alarms that they hold", () => {
    const held = alarm("a", {
      presented: false,
      withheld: "plan",
      suppression: { parent: "plan:p", reason: "", since: null },
    });
    expect(heldBy([held, alarm("b")], "p")).toEqual([held]);
    expect(heldBy([held], "q")).toEqual([]);
  });
});
