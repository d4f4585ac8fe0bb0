// Areas of active alerts, outlined.
import type { FeatureCollection } from "geojson";
import type { Geometry } from "../../wire/wire";

export interface AlertArea {
  geometry: Geometry;
  colour: string;
}

export function alertAreas(areas: readonly AlertArea[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: areas
      .filter(
        ({ geometry }) =>
          geometry.type === "Polygon" || geometry.type === "MultiPolygon",
      )
      .map(({ geometry, colour }) => ({
        type: "Feature",
        properties: { colour },
        geometry,
      })),
  };
}
