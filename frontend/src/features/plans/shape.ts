// The ground of a plan as somebody draws or pastes it: points become a point, a line or a polygon; GeoJSON is taken as it is. Pure.
import { readCoordinates, type Point } from "../desk/coordinates";
import type { Geometry } from "../../wire/wire";

export const FORMS = ["point", "line", "polygon"] as const;
export type Form = (typeof FORMS)[number];

/** How many points a form needs. */
export const LEAST: Record<Form, number> = { point: 1, line: 2, polygon: 3 };

type Place = [number, number];

/** null: there are too few points. A point is the last of them; a polygon is closed here. */
export function shapeOf(points: readonly Point[], form: Form): Geometry | null {
  const places = points.map(({ lng, lat }): Place => [lng, lat]);
  const first = places[0];
  const last = places.at(-1);
  if (!first || !last || places.length < LEAST[form]) return null;
  switch (form) {
    case "point":
      return { type: "Point", coordinates: last };
    case "line":
      return { type: "LineString", coordinates: places };
    default:
      return { type: "Polygon", coordinates: [[...places, first]] };
  }
}

const SHAPES = [
  "Point",
  "LineString",
  "MultiLineString",
  "Polygon",
  "MultiPolygon",
];

/** A geometry, a Feature, or the first Feature of a collection. */
function fromGeoJson(text: string): Geometry | null {
  try {
    let value: unknown = JSON.parse(text);
    for (let depth = 0; depth < 3; depth++) {
      if (typeof value !== "object" || value === null) return null;
      const d = value as {
        type?: unknown;
        geometry?: unknown;
        features?: unknown;
        coordinates?: unknown;
      };
      if (SHAPES.includes(String(d.type)) && Array.isArray(d.coordinates))
        return value as Geometry;
      value = Array.isArray(d.features) ? d.features[0] : d.geometry;
    }
  } catch {
    // It is no JSON: it may be a list of coordinates.
  }
  return null;
}

/** What was pasted: GeoJSON, or coordinates one a line. The number of the line that cannot be read, from 1. */
export function readShape(
  pasted: string,
  form: Form,
): { geometry: Geometry } | { line: number } | null {
  const text = pasted.trim();
  if (text === "") return null;
  if (text.startsWith("{")) {
    const geometry = fromGeoJson(text);
    return geometry ? { geometry } : { line: 1 };
  }
  const points: Point[] = [];
  for (const [i, row] of text.split("\n").entries()) {
    if (row.trim() === "") continue;
    const point = readCoordinates(row);
    if (!point) return { line: i + 1 };
    points.push(point);
  }
  const geometry = shapeOf(points, form);
  return geometry ? { geometry } : null;
}

/** The form of a geometry, and its points where it has but one part; so that it can be drawn on. */
export function pointsOf(
  geometry: Geometry | null,
): { form: Form; points: Point[] } | null {
  const place = ([lng = 0, lat = 0]: readonly number[]): Point => ({
    lng,
    lat,
  });
  switch (geometry?.type) {
    case "Point":
      return { form: "point", points: [place(geometry.coordinates)] };
    case "LineString":
      return { form: "line", points: geometry.coordinates.map(place) };
    case "Polygon": {
      const ring = geometry.coordinates[0] ?? [];
      return geometry.coordinates.length === 1
        ? { form: "polygon", points: ring.slice(0, -1).map(place) }
        : null;
    }
    default:
      return null;
  }
}

/** Every place of a geometry, for its box. */
export function placesOf(geometry: Geometry | null): Place[] {
  switch (geometry?.type) {
    case "Point":
      return [geometry.coordinates];
    case "LineString":
    case "MultiPoint":
      return geometry.coordinates;
    case "MultiLineString":
    case "Polygon":
      return geometry.coordinates.flat();
    case "MultiPolygon":
      return geometry.coordinates.flat(2);
    case "GeometryCollection":
      return geometry.geometries.flatMap(placesOf);
    default:
      return [];
  }
}
