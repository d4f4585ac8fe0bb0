// The ground: areas, outline, graticule and names, out of the profile.
import type { Feature, FeatureCollection, Point } from "geojson";
import type { Profile } from "../../api/profile";
import { boxOfShape, insideLeft, labelPoint, type Box } from "../geometry";
import type { CityMap } from "../core";

/** Ratio by which the drawn surroundings exceed the area on each side. */
const AROUND_DEGREES = 3;

export function areaBox(profile: Profile): Box {
  const outline = profile.outline ? boxOfShape(profile.outline.geometry) : null;
  return outline ?? profile.bbox;
}

export function surroundings(box: Box): Box {
  return [
    Math.max(-180, box[0] - AROUND_DEGREES),
    Math.max(-85, box[1] - AROUND_DEGREES),
    Math.min(180, box[2] + AROUND_DEGREES),
    Math.min(85, box[3] + AROUND_DEGREES),
  ];
}

/** Lines every `step` degrees. */
export function graticule(box: Box, step: number): Feature {
  const lines: [number, number][][] = [];
  const [w, s, e, n] = box;
  for (let i = Math.ceil(w / step); i * step <= e; i++) {
    lines.push([
      [i * step, s],
      [i * step, n],
    ]);
  }
  for (let i = Math.ceil(s / step); i * step <= n; i++) {
    lines.push([
      [w, i * step],
      [e, i * step],
    ]);
  }
  return {
    type: "Feature",
    properties: {},
    geometry: { type: "MultiLineString", coordinates: lines },
  };
}

/** Names of districts, lakes and neighbours; those in `busy` (area names with an open incident) are drawn larger. */
export function labels(
  profile: Profile,
  busy: ReadonlySet<string>,
): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: profile.areas.features.map(({ geometry, properties }) => ({
      type: "Feature",
      properties: {
        name: properties.name,
        role: properties.kind,
        ...(busy.has(properties.name) && { size: 28 }),
      },
      geometry: { type: "Point", coordinates: labelPoint(geometry) },
    })),
  };
}

export function drawGround(map: CityMap, profile: Profile): void {
  map.set("areas", profile.areas);
  map.set("graticule", graticule(surroundings(areaBox(profile)), 0.1));
  if (!profile.outline) return;
  map.set("outline", profile.outline);
  map.set("rings", {
    type: "Feature",
    properties: {},
    geometry: {
      type: "MultiLineString",
      coordinates: insideLeft(profile.outline.geometry),
    },
  });
}
