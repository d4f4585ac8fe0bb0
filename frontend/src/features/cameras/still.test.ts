import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fetchStill } from "../../api/cameras";
import { Still } from "./still.svelte";

vi.mock("../../api/cameras", () => ({ fetchStill: vi.fn() }));

const ask = vi.mocked(fetchStill);

beforeEach(() => {
  vi.useFakeTimers();
  let n = 0;
  URL.createObjectURL = () => `blob:${++n}`;
  URL.revokeObjectURL = () => undefined;
  ask.mockReset();
  ask.mockImplementation(() =>
    Promise.resolve({ blob: new Blob(), takenMs: Date.now(), ageMs: 0 }),
  );
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("asks for a month without gathering anything, and not at all while paused", async () => {
  const listens = vi.spyOn(AbortSignal.prototype, "addEventListener");
  const still = new Still();
  still.run("a", 1);
  still.run("a", 1);
  await vi.advanceTimersByTimeAsync(60_000);
  const asked = ask.mock.calls.length;
  expect(asked).toBeGreaterThan(30);
  expect(asked).toBeLessThan(60);
  expect(listens).not.toHaveBeenCalled();
  expect(new Set(ask.mock.calls.map(([, signal]) => signal)).size).toBe(asked);
  expect(vi.getTimerCount()).toBe(1);
  still.pause();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask.mock.calls.length).toBe(asked);
  still.run("a", 1);
  await vi.advanceTimersByTimeAsync(0);
  expect(ask.mock.calls.length).toBe(asked + 1);
  still.end();
});

it("an answer that comes after the pause changes nothing", async () => {
  let answer: (found: null) => void = () => undefined;
  ask.mockImplementation(
    () =>
      new Promise((done) => {
        answer = done;
      }),
  );
  const still = new Still();
  still.run("a", 1);
  still.pause();
  answer(null);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([still.failed, ask.mock.calls.length]).toEqual([false, 1]);
});
