import { describe, expect, it } from "vitest";
import { placesOf, pointsOf, readShape, shapeOf } from "./shape";

const A = { lng: 100.6, lat: -0.9 };
const B = { lng: 100.7, lat: -0.9 };
const C = { lng: 100.7, lat: -0.8 };

describe("the ground of a plan", () => {
  it("is made of points once there are enough", () => {
    expect(shapeOf([], "point")).toBeNull();
    expect(shapeOf([A], "line")).toBeNull();
    expect(shapeOf([A, B], "polygon")).toBeNull();
    expect(shapeOf([A, B], "point")).toEqual({
      type: "Point",
      coordinates: [100.7, -0.9],
    });
    expect(shapeOf([A, B, C], "polygon")).toEqual({
      type: "Polygon",
      coordinates: [
        [
          [100.6, -0.9],
          [100.7, -0.9],
          [100.7, -0.8],
          [100.6, -0.9],
        ],
      ],
    });
  });

  it("is read from GeoJSON, as geometry, Feature or collection", () => {
    const geometry = { type: "Point", coordinates: [100.6, -0.9] };
    const feature = { type: "Feature", properties: {}, geometry };
    for (const value of [
      geometry,
      feature,
      { type: "FeatureCollection", features: [feature] },
    ]) {
      expect(readShape(JSON.stringify(value), "line")).toEqual({ geometry });
    }
    expect(readShape('{"type":"Circle"}', "line")).toEqual({ line: 1 });
    expect(readShape("{oops", "line")).toEqual({ line: 1 });
  });

  it("is read from coordinates, one a line, and names the line that is none", () => {
    expect(readShape("-0.9, 100.6\n\n0°54'0\"S 100°42'0\"E", "line")).toEqual({
      geometry: {
        type: "LineString",
        coordinates: [
          [100.6, -0.9],
          [100.7, -0.9],
        ],
      },
    });
    expect(readShape("-0.9, 100.6\nJalan Raya", "line")).toEqual({ line: 2 });
    expect(readShape("-0.9, 100.6", "line")).toBeNull();
    expect(readShape("  ", "line")).toBeNull();
  });

  it("goes back to the points it was drawn with", () => {
    const shape = shapeOf([A, B, C], "polygon");
    expect(pointsOf(shape)).toEqual({ form: "polygon", points: [A, B, C] });
    expect(pointsOf(shapeOf([A, B], "line"))?.form).toBe("line");
    expect(pointsOf(null)).toBeNull();
    expect(placesOf(shape)).toHaveLength(4);
    expect(placesOf(null)).toEqual([]);
  });
});
