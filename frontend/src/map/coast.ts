// Land and coast around a place, from Natural Earth 1:10m (world-atlas, public domain), cut to what a wall may show.
import type {
  Feature,
  FeatureCollection,
  LineString,
  MultiPolygon,
  Position,
} from "geojson";
import type { GeometryCollection, Topology } from "topojson-specification";
import { feature } from "topojson-client";
import landAddress from "world-atlas/land-10m.json?url";
import { boxOf, clipRing, overlaps, type Box } from "./geometry";

export interface Coast {
  land: Feature<MultiPolygon>;
  /** The coast as lines, without the cut edges of the box. */
  lines: FeatureCollection<LineString>;
}

/** Fetches and cuts; throws where the file cannot be had. */
export async function fetchCoast(box: Box): Promise<Coast> {
  const answer = await fetch(landAddress);
  if (!answer.ok) throw new Error(`coast: answered ${answer.status}`);
  return cutCoast((await answer.json()) as Topology, box);
}

export function cutCoast(world: Topology, box: Box): Coast {
  const object = world.objects["land"] as GeometryCollection | undefined;
  if (!object) throw new Error("coast: the file has no object named land");
  const polygons: Position[][][] = [];
  const lines: Feature<LineString>[] = [];
  for (const { geometry } of feature(world, object).features) {
    if (geometry.type !== "MultiPolygon" && geometry.type !== "Polygon") {
      continue;
    }
    const parts =
      geometry.type === "Polygon"
        ? [geometry.coordinates]
        : geometry.coordinates;
    for (const part of parts) cutPart(part, box, polygons, lines);
  }
  return {
    land: {
      type: "Feature",
      properties: {},
      geometry: { type: "MultiPolygon", coordinates: polygons },
    },
    lines: { type: "FeatureCollection", features: lines },
  };
}

function cutPart(
  rings: Position[][],
  box: Box,
  polygons: Position[][][],
  lines: Feature<LineString>[],
): void {
  const around = boxOf(rings[0] ?? []);
  if (!around || !overlaps(around, box)) return;
  const kept = rings.map((r) => clipRing(r, box)).filter((r) => r.length > 0);
  if (kept.length > 0) polygons.push(kept);
  for (const ring of rings) lines.push(...runsInside(ring, box));
}

/** The parts of a line whose corners lie in the box. */
function runsInside(ring: Position[], box: Box): Feature<LineString>[] {
  const runs: Position[][] = [];
  let run: Position[] = [];
  for (const p of ring) {
    const [x = 0, y = 0] = p;
    if (x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]) run.push(p);
    else if (run.length > 0) {
      runs.push(run);
      run = [];
    }
  }
  runs.push(run);
  return runs
    .filter((r) => r.length > 1)
    .map((coordinates) => ({
      type: "Feature",
      properties: {},
      geometry: { type: "LineString", coordinates },
    }));
}
