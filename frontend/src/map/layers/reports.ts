// Reports whose place is known: one small ring each, without a word.
import type { FeatureCollection, Point } from "geojson";

export interface ReportMark {
  lng: number | null;
  lat: number | null;
}

export function reportMarks(
  reports: readonly ReportMark[],
): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: reports.flatMap(({ lng, lat }) =>
      lng === null || lat === null
        ? []
        : [
            {
              type: "Feature" as const,
              properties: {},
              geometry: { type: "Point" as const, coordinates: [lng, lat] },
            },
          ],
    ),
  };
}
