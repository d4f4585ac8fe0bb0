import { describe, expect, it } from "vitest";
import { camerasFit } from "./fit";

describe("on a wall", () => {
  it("three stand above the map's foot on a wide screen, two on an upright one and where the picture has stopped", () => {
    expect(camerasFit(812, false, true)).toBe(3);
    expect(camerasFit(812, true, true)).toBe(3);
    expect(camerasFit(667, false, false)).toBe(2);
    expect(camerasFit(300, true, false)).toBe(1);
  });
});
