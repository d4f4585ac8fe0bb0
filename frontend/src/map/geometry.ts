// Plain geometry on GeoJSON positions [lng, lat] in degrees. No map library here.
import type { MultiPolygon, Polygon, Position } from "geojson";

export type Box = [west: number, south: number, east: number, north: number];
export type Shape = Polygon | MultiPolygon;

export function polygonsOf(shape: Shape): Position[][][] {
  return shape.type === "Polygon" ? [shape.coordinates] : shape.coordinates;
}

/** Twice the signed area; positive where the ring runs counter-clockwise. */
export function signedArea(ring: readonly Position[]): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i] ?? [];
    const [bx = 0, by = 0] = ring[(i + 1) % ring.length] ?? [];
    sum += ax * by - bx * ay;
  }
  return sum;
}

/** Every ring with its inside on the left: outer rings counter-clockwise, holes clockwise. */
export function insideLeft(shape: Shape): Position[][] {
  return polygonsOf(shape).flatMap((polygon) =>
    polygon.map((ring, index) => {
      const counter = signedArea(ring) > 0;
      return (index === 0) === counter ? ring : [...ring].reverse();
    }),
  );
}

export function boxOf(positions: Iterable<Position>): Box | null {
  let box: Box | null = null;
  for (const [x = 0, y = 0] of positions) {
    if (!box) box = [x, y, x, y];
    else {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  return box;
}

export function boxOfShape(shape: Shape): Box | null {
  return boxOf(polygonsOf(shape).flat(2));
}

export function overlaps(a: Box, b: Box): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}

export const within = ([w, s, e, n]: Box, lng: number, lat: number): boolean =>
  lng >= w && lng <= e && lat >= s && lat <= n;

function inRing(x: number, y: number, ring: readonly Position[]): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi = 0, yi = 0] = ring[i] ?? [];
    const [xj = 0, yj = 0] = ring[j] ?? [];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) {
      inside = !inside;
    }
  }
  return inside;
}

/** Even-odd over all rings, so that holes count. */
export function contains(shape: Shape, lng: number, lat: number): boolean {
  return polygonsOf(shape).some(
    (polygon) =>
      polygon.reduce((n, ring) => n + (inRing(lng, lat, ring) ? 1 : 0), 0) %
        2 ===
      1,
  );
}

const METRES_PER_DEGREE = 111_195;

/** A ring of `steps` corners around a place, counter-clockwise and closed. */
export function disc(
  lng: number,
  lat: number,
  metres: number,
  steps = 24,
): Position[] {
  const dy = metres / METRES_PER_DEGREE;
  const dx = dy / Math.max(0.05, Math.cos((lat * Math.PI) / 180));
  const ring: Position[] = [];
  for (let i = 0; i < steps; i++) {
    const turn = (i / steps) * 2 * Math.PI;
    ring.push([lng + dx * Math.cos(turn), lat + dy * Math.sin(turn)]);
  }
  ring.push(ring[0] ?? [lng, lat]);
  return ring;
}

/** Where most of a shape's ink is: the area-weighted centre of its largest polygon. */
export function labelPoint(shape: Shape): Position {
  let best: Position[] = [];
  let most = -1;
  for (const [ring = []] of polygonsOf(shape)) {
    const size = Math.abs(signedArea(ring));
    if (size > most) {
      most = size;
      best = ring;
    }
  }
  let x = 0;
  let y = 0;
  let sum = 0;
  const [ox = 0, oy = 0] = best[0] ?? [];
  for (let i = 0; i < best.length; i++) {
    const ax = (best[i]?.[0] ?? 0) - ox;
    const ay = (best[i]?.[1] ?? 0) - oy;
    const next = best[(i + 1) % best.length];
    const bx = (next?.[0] ?? 0) - ox;
    const by = (next?.[1] ?? 0) - oy;
    const cross = ax * by - bx * ay;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
    sum += cross;
  }
  if (sum === 0) return [ox, oy];
  return [ox + x / (3 * sum), oy + y / (3 * sum)];
}

type Edge = (p: Position) => boolean;
type Cut = (a: Position, b: Position) => Position;

function clipEdge(ring: Position[], keep: Edge, cut: Cut): Position[] {
  const out: Position[] = [];
  for (let i = 0; i < ring.length; i++) {
    const a = ring[i];
    const b = ring[(i + 1) % ring.length];
    if (!a || !b) continue;
    if (keep(a)) out.push(a);
    if (keep(a) !== keep(b)) out.push(cut(a, b));
  }
  return out;
}

/** A ring cut to a box (Sutherland-Hodgman); empty where it lies outside. */
export function clipRing(ring: readonly Position[], box: Box): Position[] {
  const at = (axis: 0 | 1, value: number): Cut => {
    return ([ax = 0, ay = 0], [bx = 0, by = 0]) => {
      const t =
        axis === 0 ? (value - ax) / (bx - ax) : (value - ay) / (by - ay);
      return [ax + t * (bx - ax), ay + t * (by - ay)];
    };
  };
  const [w, s, e, n] = box;
  let out = [...ring];
  out = clipEdge(out, (p) => (p[0] ?? 0) >= w, at(0, w));
  out = clipEdge(out, (p) => (p[0] ?? 0) <= e, at(0, e));
  out = clipEdge(out, (p) => (p[1] ?? 0) >= s, at(1, s));
  out = clipEdge(out, (p) => (p[1] ?? 0) <= n, at(1, n));
  const first = out[0];
  if (out.length < 3 || !first) return [];
  return [...out, first];
}

/** Web Mercator, 0..1 from the north-west corner. */
export function mercator(lng: number, lat: number): [number, number] {
  const sin = Math.sin((lat * Math.PI) / 180);
  return [
    (lng + 180) / 360,
    0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI),
  ];
}
