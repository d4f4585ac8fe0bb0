import { beforeEach, describe, expect, it, vi } from "vitest";
import { Bell } from "./bell.svelte";

const MINUTE = 60_000;

describe("the bell", () => {
  beforeEach(() => {
    sessionStorage.clear();
    vi.useFakeTimers();
  });

  it("tells the house once that it is muted, and that it sounds again", async () => {
    const log = vi.fn(() => Promise.resolve(true));
    const bell = new Bell(log);
    bell.mute(10 * MINUTE);
    bell.mute(0);
    await vi.advanceTimersByTimeAsync(MINUTE);
    bell.step([], "");
    expect(log.mock.calls).toEqual([[10], [0]]);
  });

  it("tells again what was not heard, and nothing of a silence that ends by itself", async () => {
    let heard = false;
    const log = vi.fn(() => Promise.resolve(heard));
    const bell = new Bell(log);
    bell.mute(MINUTE);
    await vi.advanceTimersByTimeAsync(6_000);
    heard = true;
    bell.step([], "");
    await vi.advanceTimersByTimeAsync(MINUTE);
    bell.step([], "");
    bell.step([], "");
    expect(bell.mutedUntil).toBe(0);
    expect(log.mock.calls).toEqual([[1], [1]]);
  });
});
