// What a wall takes over, and when: the socket, the house's answers and the clock in every order.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WallSetting } from "./wall.svelte";

const START = Date.parse("2026-01-01T00:00:00Z");
const LEAD_MS = 400;

/** What the house answers, one after the other; each waits until it is let go. */
class House {
  answers: ((wall: object) => void)[] = [];
  fetch = vi.fn(async (path: string) => {
    const body = path.includes("/scenes")
      ? { items: [] }
      : await new Promise<object>((done) => this.answers.push(done));
    return new Response(JSON.stringify(body), { status: 200 });
  });
}

const wall = (version: number, scene: string, inMs = -10_000) => ({
  id: "w1",
  scene,
  version,
  apply_at: new Date(Date.now() + inMs).toISOString(),
});
const told = (w: object) => ({ type: "wall", wall: w });
const settle = () => vi.advanceTimersByTimeAsync(0);

let house: House;
let setting: WallSetting;
beforeEach(() => {
  vi.useFakeTimers({ now: START });
  house = new House();
  vi.stubGlobal("fetch", house.fetch);
  setting = new WallSetting("", () => Date.now());
});
afterEach(() => {
  setting.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function opened(first: object): Promise<void> {
  setting.hear({ type: "hello" });
  setting.hear({ type: "snapshot" });
  await settle();
  for (const answer of house.answers.splice(0)) answer(first);
  await settle();
}

describe("a wall's setting", () => {
  it("takes an order over at its instant", async () => {
    await opened(wall(3, "normal"));
    setting.hear(told(wall(5, "flood", LEAD_MS)));
    expect(setting.wall?.scene).toBe("normal");
    await vi.advanceTimersByTimeAsync(LEAD_MS - 1);
    expect(setting.wall?.scene).toBe("normal");
    await vi.advanceTimersByTimeAsync(1);
    expect(setting.wall?.scene).toBe("flood");
  });

  it("takes over at once what was ordered before the clock was set back", async () => {
    await opened(wall(3, "flood", 3_600_000));
    expect(setting.wall?.scene).toBe("flood");
  });

  it("an order that waits is not lost to a late answer of before it", async () => {
    await opened(wall(3, "normal"));
    const asked = setting.learn();
    await settle();
    setting.hear(told(wall(5, "flood", LEAD_MS)));
    house.answers.splice(0).forEach((answer) => {
      answer(wall(4, "quake"));
    });
    await asked;
    await vi.advanceTimersByTimeAsync(LEAD_MS);
    expect(setting.wall).toMatchObject({ version: 5, scene: "flood" });
  });

  it("nor to a message that came late", async () => {
    await opened(wall(3, "normal"));
    setting.hear(told(wall(5, "flood", LEAD_MS)));
    setting.hear(told(wall(4, "quake")));
    await vi.advanceTimersByTimeAsync(LEAD_MS);
    expect(setting.wall?.scene).toBe("flood");
  });

  it("a version that went back with the store is taken from the house's answer", async () => {
    await opened(wall(57, "quake"));
    await opened(wall(1, "normal"));
    expect(setting.wall).toMatchObject({ version: 1, scene: "normal" });
    setting.hear(told(wall(2, "flood")));
    expect(setting.wall?.scene).toBe("flood");
  });

  it("asks again once the socket tells of it: what was said before is not repeated", async () => {
    setting.hear({ type: "hello" });
    await settle();
    expect(house.answers).toHaveLength(1);
    house.answers.splice(0)[0]?.(wall(3, "normal"));
    await settle();
    setting.hear({ type: "snapshot" });
    await settle();
    expect(house.answers).toHaveLength(1);
    house.answers.splice(0)[0]?.(wall(4, "flood"));
    await settle();
    expect(setting.wall?.scene).toBe("flood");
    setting.hear({ type: "snapshot" });
    await settle();
    expect(house.answers).toHaveLength(0);
  });
});
