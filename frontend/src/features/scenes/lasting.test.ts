import { expect, it, vi } from "vitest";
import { followBuild, keepAwake, shiftAt } from "./lasting";

it("the picture wanders by two pixels every ten minutes, comes back, and alike everywhere", () => {
  const of = (minutes: number) => shiftAt(1_800_000_000_000 + minutes * 60_000);
  expect(of(0)).toEqual(of(9));
  expect(of(0)).not.toEqual(of(10));
  expect(of(0)).toEqual(of(90));
  const all = Array.from({ length: 9 }, (_, i) => of(i * 10));
  const sum = (axis: 0 | 1) => all.reduce((s, at) => s + at[axis], 0);
  expect([sum(0), sum(1)]).toEqual([0, 0]);
  for (const [x, y] of all)
    expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThan(3);
});

it("a new build is taken over once, a reconnect to the same one is not, and a house that does not answer is waited for", async () => {
  vi.useFakeTimers();
  const reload = vi.fn();
  let well = false;
  const hear = followBuild(
    reload,
    () => 1000,
    () => Promise.resolve(well),
  );
  for (const v of ["", "a", "a", ""]) hear(v);
  await vi.advanceTimersByTimeAsync(5000);
  expect(vi.getTimerCount()).toBe(0);
  for (const v of ["b", "b", "c"]) hear(v);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reload).not.toHaveBeenCalled();
  well = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(reload).toHaveBeenCalledOnce();
  vi.useRealTimers();
});

it("whether the house answers is asked of the house", async () => {
  vi.useFakeTimers();
  const fetch = vi
    .fn()
    .mockRejectedValueOnce(new Error("refused"))
    .mockResolvedValueOnce({ ok: false })
    .mockResolvedValue({ ok: true });
  vi.stubGlobal("fetch", fetch);
  const reload = vi.fn();
  const hear = followBuild(reload, () => 0);
  hear("a");
  hear("b");
  await vi.advanceTimersByTimeAsync(9_000);
  expect(reload).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reload).toHaveBeenCalledOnce();
  expect(fetch.mock.calls.map(([path]) => path as string)).toEqual(
    Array.from({ length: 3 }, () => "/healthz"),
  );
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("stays awake though the system takes that back or refuses it for a while, and asks no more than it must", async () => {
  vi.useFakeTimers();
  const locks: { released: boolean; release: () => Promise<void> }[] = [];
  const request = vi.fn(() => {
    const lock = {
      released: false,
      release: () => {
        lock.released = true;
        return Promise.resolve();
      },
    };
    locks.push(lock);
    return Promise.resolve(lock);
  });
  request.mockRejectedValueOnce(new Error("low battery"));
  vi.stubGlobal("navigator", { wakeLock: { request } });
  vi.stubGlobal("document", {
    visibilityState: "visible",
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
  });
  const letGo = keepAwake();
  await vi.advanceTimersByTimeAsync(300_000);
  expect(locks).toHaveLength(1);
  await locks[0]?.release();
  await vi.advanceTimersByTimeAsync(300_000);
  expect(locks).toHaveLength(2);
  expect(locks[1]?.released).toBe(false);
  letGo();
  await vi.advanceTimersByTimeAsync(300_000);
  expect(locks).toHaveLength(2);
  expect(locks[1]?.released).toBe(true);
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
