// Web Mercator as shares of the world's width, from the upper left corner.

export const mercatorX = (lng: number): number => (180 + lng) / 360;

export const mercatorY = (lat: number): number =>
  (180 -
    (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) /
  360;

/** So far from its latitude, degrees, the polynomial of `mercatorNear` is good to a centimetre between 60 degrees south and north. */
export const NEAR_DEGREES = 0.6;

/**
 * The first four terms of mercatorY(lat + d) - mercatorY(lat) for d in degrees, |d| <= NEAR_DEGREES: no logarithm for each move.
 * dy/dlat of the Mercator ordinate is the secant; its derivatives follow with t = tan: sec, sec t, sec (1 + 2 t^2), sec t (5 + 6 t^2).
 */
export function mercatorNear(lat: number): [number, number, number, number] {
  const r = Math.PI / 180;
  const sec = 1 / Math.cos(lat * r);
  const t = Math.tan(lat * r);
  const scale = -1 / (2 * Math.PI);
  return [
    scale * r * sec,
    (scale * r ** 2 * sec * t) / 2,
    (scale * r ** 3 * sec * (1 + 2 * t * t)) / 6,
    (scale * r ** 4 * sec * t * (5 + 6 * t * t)) / 24,
  ];
}

/** `main`, a matrix from shares of the world, for offsets from an anchor: float32 then loses less than a decimetre. */
export function shifted(
  into: Float32Array,
  main: ArrayLike<number>,
  anchorX: number,
  anchorY: number,
): void {
  for (let i = 0; i < 16; i++) into[i] = main[i] ?? 0;
  for (let i = 0; i < 4; i++) {
    into[12 + i] =
      (main[i] ?? 0) * anchorX +
      (main[4 + i] ?? 0) * anchorY +
      (main[12 + i] ?? 0);
  }
}
