import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Later } from "./later";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("runs soon after the first change, and at a pace while they go on", () => {
  const run = vi.fn();
  const later = new Later(run);
  later.ask();
  later.ask();
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(run).toHaveBeenCalledOnce();
  for (let ms = 0; ms < 20_000; ms += 100) {
    later.ask();
    vi.advanceTimersByTime(100);
  }
  expect(run).toHaveBeenCalledTimes(5);
});

it("runs no more what was stopped, and again what is asked for after", () => {
  const run = vi.fn();
  const later = new Later(run);
  later.ask();
  later.stop();
  vi.advanceTimersByTime(60_000);
  expect(run).not.toHaveBeenCalled();
  later.ask();
  vi.advanceTimersByTime(1_000);
  expect(run).toHaveBeenCalledOnce();
});
