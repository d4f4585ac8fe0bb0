// What is planned: drawn as planned, never as a fact. Areas hatched the other way than what nobody observes, lines and edges dashed.
import type { FeatureCollection } from "geojson";
import type { Geometry } from "../../wire/wire";

export interface PlanMark {
  geometry: Geometry;
  /** A road that is closed. */
  closure: boolean;
  running: boolean;
  label: string;
  /** Being drawn: the pen is still on the map. */
  draft?: boolean;
}

export function planMarks(plans: readonly PlanMark[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: plans.map(({ geometry, ...properties }) => ({
      type: "Feature",
      properties: { draft: false, ...properties },
      geometry,
    })),
  };
}
