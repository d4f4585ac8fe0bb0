import { describe, expect, it } from "vitest";
import type { Camera } from "../../api/cameras";
import {
  forWalls,
  kilometres,
  nearest,
  oldAfterMs,
  pollMs,
  shortName,
} from "./near";

const camera = (
  id: string,
  lng: number,
  more: Partial<Camera> = {},
): Camera => ({
  id,
  name: id,
  lng,
  lat: -0.8,
  still: true,
  hls: false,
  everyS: 30,
  takenMs: null,
  restricted: false,
  simulated: false,
  attribution: "",
  ...more,
});

describe("cameras", () => {
  it("are ordered by the way to a place", () => {
    const all = [camera("far", 101), camera("b", 100.61), camera("a", 100.61)];
    const at = { lng: 100.6, lat: -0.8 };
    expect(nearest(all, at, 2).map((c) => c.id)).toEqual(["a", "b"]);
    expect(nearest(all, at, 9)).toHaveLength(3);
    expect(kilometres(at, { lng: 100.6, lat: -1.8 })).toBeCloseTo(111.2, 0);
    expect(
      kilometres({ lng: 179.9, lat: 0 }, { lng: -179.9, lat: 0 }),
    ).toBeLessThan(30);
  });

  it("need not say that they are cameras", () => {
    expect(shortName("CCTV Arosuka")).toBe("Arosuka");
    expect(shortName("Kamera")).toBe("Kamera");
  });

  it("that are restricted hang on no wall", () => {
    const all = [camera("a", 1), camera("b", 1, { restricted: true })];
    expect(forWalls(all).map((c) => c.id)).toEqual(["a"]);
  });

  it("give pictures that are asked anew as soon as the next is due, before they look old", () => {
    for (const every of [1, 10, 30, 3600]) {
      expect(pollMs(every, 0) * 1.05).toBeLessThan(oldAfterMs(0, every));
      expect(pollMs(every, 0)).toBeGreaterThan(every * 1000);
    }
    expect(oldAfterMs(0, 30)).toBe(38_000);
    expect(pollMs(30, 20_000)).toBe(10_500);
    expect(pollMs(30, 31_000)).toBe(3_000);
    expect(pollMs(30, 90_000)).toBe(15_000);
    expect(pollMs(30, null)).toBe(15_000);
    expect(pollMs(1, 1_000)).toBe(1_000);
  });
});
