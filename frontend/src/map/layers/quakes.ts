// Epicentres: a ring that grows with the magnitude, its figure and its age beside it.
import type { FeatureCollection, Point } from "geojson";

export interface QuakeMark {
  lng: number;
  lat: number;
  /** null: the agency gave none. */
  magnitude: number | null;
  label: string;
  colour: string;
}

const RADIUS_UNKNOWN = 12;

/** Ring radius in mock pixels: M 2 is 9, each step of one adds 7. */
export function quakeRadius(magnitude: number | null): number {
  if (magnitude === null) return RADIUS_UNKNOWN;
  return Math.max(9, 9 + (magnitude - 2) * 7);
}

export function quakeMarks(
  quakes: readonly QuakeMark[],
): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: quakes.map((q) => {
      const radius = quakeRadius(q.magnitude);
      return {
        type: "Feature",
        properties: {
          radius,
          label: q.label,
          colour: q.colour,
          rank: -(q.magnitude ?? 0),
          offset: [(radius + 8) / 24, 0],
        },
        geometry: { type: "Point", coordinates: [q.lng, q.lat] },
      };
    }),
  };
}
