import { describe, expect, it } from "vitest";
import type { Polygon } from "geojson";
import {
  clipRing,
  contains,
  disc,
  insideLeft,
  labelPoint,
  signedArea,
  within,
} from "./geometry";
import { quakeRadius } from "./layers/quakes";
import { hatch } from "./patterns";
import { ORDER } from "./order";
import { buildStyle } from "./style";
import { readPalette, withoutHue } from "./palette";

const SQUARE: Polygon = {
  type: "Polygon",
  coordinates: [
    [
      [0, 0],
      [0, 4],
      [4, 4],
      [4, 0],
      [0, 0],
    ],
    [
      [1, 1],
      [2, 1],
      [2, 2],
      [1, 2],
      [1, 1],
    ],
  ],
};

describe("geometry", () => {
  it("turns rings so that the inside is on the left", () => {
    const [outer = [], hole = []] = insideLeft(SQUARE);
    expect(signedArea(outer)).toBeGreaterThan(0);
    expect(signedArea(hole)).toBeLessThan(0);
  });
  it("knows what is inside, holes apart", () => {
    expect(contains(SQUARE, 3, 3)).toBe(true);
    expect(contains(SQUARE, 1.5, 1.5)).toBe(false);
    expect(contains(SQUARE, 5, 3)).toBe(false);
  });
  it("cuts to a box", () => {
    const cut = clipRing(SQUARE.coordinates[0] ?? [], [2, 2, 10, 10]);
    expect(Math.abs(signedArea(cut)) / 2).toBeCloseTo(4);
    expect(clipRing(SQUARE.coordinates[0] ?? [], [5, 5, 6, 6])).toEqual([]);
  });
  it("finds the middle and draws discs in metres", () => {
    expect(labelPoint(SQUARE)).toEqual([2, 2]);
    const ring = disc(100, -0.9, 1000);
    expect((ring[0]?.[0] ?? 0) - 100).toBeCloseTo(1000 / 111_195, 4);
    expect(ring[0]).toEqual(ring.at(-1));
  });
});

describe("layers", () => {
  it("grow epicentres with the magnitude", () => {
    expect(quakeRadius(6)).toBeGreaterThan(quakeRadius(3));
    expect(quakeRadius(null)).toBeGreaterThan(0);
  });
  it("stand in the one order, unobserved below observed", () => {
    const style = buildStyle(readPalette(document.body), 1);
    const ids = style.layers.map((l) => l.id);
    // The layer of our own is put in when the style has loaded.
    const ours = ["cell-ground", "cell-mark", "thing-mark"];
    expect(ids).toEqual(ORDER.filter((id) => !ours.includes(id)));
    expect(ids.indexOf("unobserved")).toBeLessThan(
      ids.indexOf("observed-dots"),
    );
    expect(style.glyphs).toBeUndefined();
  });
  it("make a hatch without seams", () => {
    const { width, height, data } = hatch(9, 1, "#ffffff", 1, 2);
    expect(data.length).toBe(width * height * 4);
    const alphas = data.filter((_, i) => i % 4 === 3);
    expect(alphas.some((a) => a > 200)).toBe(true);
    expect(alphas.some((a) => a === 0)).toBe(true);
  });
  it("lose their hue when the picture has stopped", () => {
    const grey = withoutHue({ ...readPalette(document.body), mark: "#E5243B" });
    expect(grey.mark).toMatch(/^#(..)\1\1$/);
  });
});

describe("boxes", () => {
  it("hold what lies in them, their edges too", () => {
    expect(within([100, -1, 101, 0], 100.5, -0.5)).toBe(true);
    expect(within([100, -1, 101, 0], 101, 0)).toBe(true);
    expect(within([100, -1, 101, 0], -0.5, 100.5)).toBe(false);
  });
});
