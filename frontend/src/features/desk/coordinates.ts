// Coordinates as people write them: decimal, degrees with minutes and seconds, Plus Codes, a map's address. WGS 84 degrees.
import { decodePlus } from "./pluscode";

export interface Point {
  lng: number;
  lat: number;
}

const inside = (p: Point): boolean =>
  Number.isFinite(p.lat) &&
  Number.isFinite(p.lng) &&
  Math.abs(p.lat) <= 90 &&
  Math.abs(p.lng) <= 180;

/** Reads what was pasted; null where it is no place. Without letters the latitude comes first, unless it cannot be one. */
export function readCoordinates(pasted: string): Point | null {
  const text = pasted
    .trim()
    .replaceAll("−", "-")
    .replace(/[’′]/g, "'")
    .replace(/[”″]|''/g, '"');
  if (text === "") return null;
  const point =
    decodePlus(text) ??
    fromAddress(text) ??
    fromSexagesimal(text) ??
    fromDecimal(text);
  return point && inside(point) ? point : null;
}

/** ".../@-0.877,100.699,15z" and "geo:-0.877,100.699". */
function fromAddress(text: string): Point | null {
  const found = /(?:@|geo:|[?&]q=)(-?\d+\.\d+),(-?\d+\.\d+)/.exec(text);
  return found ? { lat: Number(found[1]), lng: Number(found[2]) } : null;
}

const SIGN: Record<string, { axis: "lat" | "lng"; sign: 1 | -1 }> = {
  N: { axis: "lat", sign: 1 },
  LU: { axis: "lat", sign: 1 },
  S: { axis: "lat", sign: -1 },
  LS: { axis: "lat", sign: -1 },
  E: { axis: "lng", sign: 1 },
  BT: { axis: "lng", sign: 1 },
  W: { axis: "lng", sign: -1 },
  BB: { axis: "lng", sign: -1 },
};

/** 0°52'37"S 100°41'56"E, 0 52 37 LS 100 41 56 BT, 0.877° S 100.699° E. */
function fromSexagesimal(text: string): Point | null {
  const part =
    /(\d+(?:[.,]\d+)?)[°\s]*(?:(\d+(?:[.,]\d+)?)['\s]+)?(?:(\d+(?:[.,]\d+)?)["\s]*)?\s*(LU|LS|BT|BB|[NSEW])\b/giu;
  const out: Partial<Point> = {};
  for (const [, d = "", min = "0", s = "0", letter = ""] of text.matchAll(
    part,
  )) {
    const side = SIGN[letter.toUpperCase()];
    if (!side || out[side.axis] !== undefined) return null;
    const [degrees = 0, minutes = 0, seconds = 0] = [d, min, s].map((v) =>
      Number(v.replace(",", ".")),
    );
    if (minutes >= 60 || seconds >= 60) return null;
    out[side.axis] = side.sign * (degrees + minutes / 60 + seconds / 3600);
  }
  const { lat, lng } = out;
  return lat === undefined || lng === undefined ? null : { lat, lng };
}

/** "-0.877, 100.699", and with decimal commas "-0,877 100,699" or "-0,877; 100,699". */
function fromDecimal(text: string): Point | null {
  const dots = /^(-?\d{1,3}(?:\.\d+)?)[\s,;]+(-?\d{1,3}(?:\.\d+)?)$/.exec(text);
  const commas = /^(-?\d{1,3},\d+)(?:[;\s]+|,\s+)(-?\d{1,3},\d+)$/.exec(text);
  const found = commas ?? dots;
  if (!found) return null;
  const [a = Number.NaN, b = Number.NaN] = [found[1], found[2]].map((v) =>
    Number((v ?? "").replace(",", ".")),
  );
  return Math.abs(a) > 90 ? { lat: b, lng: a } : { lat: a, lng: b };
}

/** "-0.87700, 100.69900": to paste elsewhere, so the same in every language. */
export function decimal({ lat, lng }: Point): string {
  return `${lat.toFixed(5)}, ${lng.toFixed(5)}`;
}

/** 0°52'37.2"S 100°41'56.4"E. */
export function sexagesimal({ lat, lng }: Point): string {
  const side = (value: number, letters: [string, string]) => {
    const tenths = Math.round(Math.abs(value) * 36_000);
    const degrees = Math.floor(tenths / 36_000);
    const minutes = Math.floor((tenths % 36_000) / 600);
    const seconds = ((tenths % 600) / 10).toFixed(1);
    return `${degrees}°${minutes}'${seconds}"${letters[value < 0 ? 1 : 0]}`;
  };
  return `${side(lat, ["N", "S"])} ${side(lng, ["E", "W"])}`;
}

const EARTH_M = 6_371_008.8;

/** Metres along the great circle. */
export function distanceM(a: Point, b: Point): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) *
      Math.cos(b.lat * rad) *
      Math.sin(((b.lng - a.lng) * rad) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.sqrt(h));
}
