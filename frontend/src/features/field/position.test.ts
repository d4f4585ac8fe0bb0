import { whereNow } from "./position";
import { describe, expect, it } from "vitest";
import { apart, joined, worth, type Fix } from "./position";

const AT = Date.parse("2026-11-22T07:00:00Z");
const fix = (part: Partial<Fix> = {}): Fix => ({
  lng: 100.63,
  lat: -0.83,
  accuracy: 8,
  at: AT,
  ...part,
});
/** So many metres to the north. */
const north = (m: number) => -0.83 + m / 111_195;

describe("a fix of a phone", () => {
  it("is told at once where none was, and never of a place wider than the house takes", () => {
    expect(worth(null, fix())).toBe(true);
    expect(worth(null, fix({ accuracy: 150_000 }))).toBe(false);
    expect(worth(null, fix({ accuracy: Number.NaN }))).toBe(false);
  });
  it("of a crew that drives is told every 15 s", () => {
    const far = (s: number) => fix({ lat: north(200), at: AT + s * 1_000 });
    expect(worth(fix(), far(14))).toBe(false);
    expect(worth(fix(), far(15))).toBe(true);
  });
  it("of one that stands is told every minute, so that its place is never drawn as old", () => {
    const near = (s: number, m = 20) =>
      fix({ lat: north(m), at: AT + s * 1_000 });
    expect(worth(fix(), near(59))).toBe(false);
    expect(worth(fix(), near(60))).toBe(true);
    // Within its own accuracy it has not moved.
    expect(worth(fix(), { ...near(30, 60), accuracy: 80 })).toBe(false);
  });
  it("that came too soon is told once its time has come", () => {
    const soon = fix({ lat: north(200), at: AT + 4_000 });
    expect(worth(fix(), soon)).toBe(false);
    expect(worth(fix(), soon, AT + 15_000)).toBe(true);
    expect(worth(fix(), fix(), AT + 90_000)).toBe(false);
  });
  it("that is older than the last is not told again", () => {
    expect(worth(fix(), fix({ at: AT - 90_000, lat: north(900) }))).toBe(false);
  });
  it("is as far from another as on the ground", () => {
    expect(apart(fix(), fix({ lat: north(250) }))).toBeCloseTo(250, 0);
    expect(apart(fix(), fix({ lng: 100.64 }))).toBeCloseTo(1_111.8, 0);
  });
});

describe("what waits without a network", () => {
  it("keeps the whole way in fewer places, with its beginning and its end", () => {
    let trail: readonly Fix[] = [];
    for (let i = 0; i < 1_000; i++)
      trail = joined(trail, fix({ at: AT + i * 15_000 }), 50);
    expect(trail.length).toBeLessThanOrEqual(50);
    expect(trail.length).toBeGreaterThan(24);
    expect(trail[0]?.at).toBe(AT);
    expect(trail.at(-1)?.at).toBe(AT + 999 * 15_000);
    const order = trail.map((f) => f.at);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
});

it("help is sent to no place older than two minutes", () => {
  const fix = { lng: 106.8, lat: -6.2, accuracy: 9, at: 0 };
  expect(whereNow(fix, 119_000)).toEqual({ lng: 106.8, lat: -6.2 });
  expect(whereNow(fix, 120_000)).toBeNull();
  expect(whereNow(null, 0)).toBeNull();
});
