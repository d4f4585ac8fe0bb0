// Things by kind, and what they observe: near a fresh one the ground is shown as observed, near a silent one it is hatched,
// everywhere else nobody looks. A place is never drawn calm without a live observation.
import type { Feature, FeatureCollection, Point, Polygon } from "geojson";
import { disc } from "../geometry";
import { iconName } from "../icons";

/** What a Thing is taken to observe until cells come with the stream: about its H3 cell of resolution 7 and half of each neighbour. */
export const OBSERVED_M = 2_500;

export interface ThingMark {
  id: string;
  kind: string;
  name: string;
  lng: number;
  lat: number;
  fresh: boolean;
  /** The picture has stopped: the mark is drawn hollow, whatever it was. */
  hollow: boolean;
  /** Words beside the mark: its age where it is stale. */
  label: string;
}

export function thingMarks(
  marks: readonly ThingMark[],
): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: marks.map((t) => ({
      type: "Feature",
      properties: {
        icon: iconName(t.kind, t.fresh && !t.hollow),
        label: t.label,
        rank: t.fresh ? 1 : 0,
      },
      geometry: { type: "Point", coordinates: [t.lng, t.lat] },
    })),
  };
}

export function watchAreas(
  marks: readonly ThingMark[],
): FeatureCollection<Polygon> {
  return {
    type: "FeatureCollection",
    features: marks.map((t): Feature<Polygon> => ({
      type: "Feature",
      properties: { state: t.fresh ? "fresh" : "stale" },
      geometry: {
        type: "Polygon",
        coordinates: [disc(t.lng, t.lat, OBSERVED_M)],
      },
    })),
  };
}
