import { expect, it } from "vitest";
import { ServerClock } from "./clock";

const NOON = 1_795_417_450_000;

function setup() {
  const local = { ms: 0 };
  const clock = new ServerClock(() => local.ms);
  /** The server's word of `ms` after noon, read `late` ms after it was said. */
  const hear = (ms: number, late: number) => {
    local.ms = ms + late;
    clock.set(NOON + ms);
  };
  const error = () => (clock.now() ?? 0) - (NOON + local.ms);
  return { clock, hear, error, local };
}

it("is unknown before the server has spoken, and then goes on by itself", () => {
  const { clock, hear, local } = setup();
  expect([clock.known, clock.now(), clock.at(5)]).toEqual([false, null, null]);
  hear(0, 0);
  local.ms = 1_500;
  expect([clock.known, clock.now()]).toEqual([true, NOON + 1_500]);
  expect(clock.at(400)).toBe(NOON + 400);
});

it("a word that a busy page read late is mended by the next, and mends none before it", () => {
  const { hear, error } = setup();
  hear(0, 900);
  expect(error()).toBe(-900);
  hear(5_000, 4);
  expect(error()).toBe(-4);
  hear(10_000, 700);
  expect(error()).toBe(-4);
});

it("follows clocks that drift apart, and one that is set at once", () => {
  const { hear, error } = setup();
  // The server's clock loses a millisecond with every word: only the last two minutes are held against it.
  for (let i = 0; i < 100; i++) hear(i * 5_000, i);
  expect(error()).toBe(-99 + 23);
  const { clock, hear: say, local } = setup();
  say(0, 5);
  local.ms = 5_000;
  clock.set(NOON - 3_600_000);
  expect(clock.now()).toBe(NOON - 3_600_000);
});
