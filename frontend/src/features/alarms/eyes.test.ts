import { expect, test } from "vitest";
import type { Alarm } from "../../wire/wire";
import { AGAIN_MS, Eyes, IDLE_MS } from "./eyes";

const p1 = (id: string, change: Partial<Alarm> = {}): Alarm =>
  ({
    id,
    priority: "P1",
    severity: "Severe",
    state: "raised",
    presented: true,
    ...change,
  }) as Alarm;

test("what is painted is told once, and again until the house has noted it", () => {
  const eyes = new Eyes(0);
  expect(eyes.step([p1("a")], true, 0)).toEqual(["a"]);
  expect(eyes.step([p1("a")], true, AGAIN_MS - 1)).toEqual([]);
  expect(eyes.step([p1("a"), p1("b")], true, AGAIN_MS)).toEqual(["a", "b"]);
  const noted = p1("a", { painted: { desk: "desk-1", at: "", by: "" } });
  expect(eyes.step([noted], true, 3 * AGAIN_MS)).toEqual([]);
});

test("a page behind another, and a desk that nobody touches, see nothing", () => {
  const eyes = new Eyes(0);
  expect(eyes.step([p1("a")], false, 0)).toEqual([]);
  expect(eyes.step([p1("a")], true, IDLE_MS)).toEqual([]);
  eyes.touched(IDLE_MS);
  expect(eyes.step([p1("a")], true, IDLE_MS + 1)).toEqual(["a"]);
});

test("only what must be seen is told", () => {
  const all = [
    p1("p2", { priority: "P2" }),
    p1("extreme", { priority: "P2", severity: "Extreme" }),
    p1("kept", { presented: false }),
    p1("over", { state: "cleared" }),
    p1("ours", { code: "flood" }),
  ];
  expect(new Eyes(0).step(all, true, 0)).toEqual(["extreme"]);
});
