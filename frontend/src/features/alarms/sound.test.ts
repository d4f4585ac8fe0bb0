import { describe, expect, it } from "vitest";
import { alarm } from "./queue.fixture";
import { AGAIN_MS, MUTE_MS, muteUntil, SoundPlan } from "./sound";

describe("the sound of alarms", () => {
  it("repeats P1 every 30 s until it is acknowledged", () => {
    const plan = new SoundPlan();
    const p1 = alarm("a", { priority: "P1" });
    expect(plan.due([p1], "", 0)).toBe("p1");
    expect(plan.due([p1], "", AGAIN_MS - 1)).toBeNull();
    expect(plan.due([p1], "", AGAIN_MS)).toBe("p1");
    const seen = { ...p1, state: "acknowledged" as const };
    expect(plan.due([seen], "", 2 * AGAIN_MS)).toBeNull();
  });

  it("says the next P1 at once when the one before is taken note of", () => {
    const plan = new SoundPlan();
    expect(plan.due([alarm("a", { priority: "P1" })], "", 0)).toBe("p1");
    expect(plan.due([], "", 1_000)).toBeNull();
    expect(plan.due([alarm("b", { priority: "P1" })], "", 2_000)).toBe("p1");
  });

  it("says P2 once, and none that was there before the screen", () => {
    const plan = new SoundPlan();
    const old = alarm("a");
    expect(plan.due([old], "", 0)).toBeNull();
    const fresh = alarm("b");
    expect(plan.due([old, fresh], "", 1_000)).toBe("p2");
    expect(plan.due([old, fresh], "", 60_000)).toBeNull();
  });

  it("says no P3, nothing that the house keeps silent, and nothing of another desk", () => {
    const plan = new SoundPlan();
    expect(plan.due([], "Meja 1", 0)).toBeNull();
    const list = [
      alarm("a", { priority: "P3" }),
      alarm("b", { priority: "P1", sound: false }),
      alarm("c", { priority: "P1", desk: "Meja 2" }),
    ];
    expect(plan.due(list, "Meja 1", 1_000)).toBeNull();
    expect(plan.due(list, "Meja 2", 2_000)).toBe("p1");
  });

  it("is muted for ten minutes at most", () => {
    expect(muteUntil(0, 3_600_000)).toBe(MUTE_MS);
    expect(muteUntil(5, 60_000)).toBe(60_005);
    expect(muteUntil(5, -1)).toBe(5);
  });
});
