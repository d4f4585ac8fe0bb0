// The room that incident marks take, so that the map's own words stay clear of them.
import type { FeatureCollection, Point } from "geojson";

export interface MarkSpace {
  lng: number;
  lat: number;
  /** Mock pixels. */
  size: number;
  number: string;
}

const TEXT_PX = 30;

export function markSpaces(
  marks: readonly MarkSpace[],
): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    // In an order of their own: that the queue's order changed is no reason for the map to draw.
    features: [...marks]
      .sort((a, b) => (a.number < b.number ? -1 : 1))
      .map(({ lng, lat, size, number }) => ({
        type: "Feature",
        properties: {
          space: size,
          number,
          offset: [(size / 2 + 10) / TEXT_PX, 0],
        },
        geometry: { type: "Point", coordinates: [lng, lat] },
      })),
  };
}
