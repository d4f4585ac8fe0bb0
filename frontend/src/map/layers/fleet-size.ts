// How large Things are drawn: by how many of each prominence are in view, by zoom, and by the wall's unit.

export type Sides = [number, number, number];

/** Of the map's area, at most this share lies under the plates of a prominence. */
const SHARE: Sides = [0.05, 0.04, 0.012];
/** Plate sides in mock pixels. */
const LEAST: Sides = [10, 8, 4.4];
const MOST: Sides = [30, 26, 22];
/** Zoom steps (of a wall of 1920) between which a prominence grows to its full size: a whole regency shows stations, a street shows lamps. */
const GROWS: [number, number, number][] = [
  [6, 9, 1],
  [9, 12, 0.55],
  [10.5, 14, 0.25],
];
/** Sizes go in steps, so that a Thing that comes or goes does not make the others breathe. */
const STEP = Math.log(1.15);

/** `had` is what they were: a change of one step is not followed. CSS pixels. */
export function sizes(
  inView: ArrayLike<number>,
  area: number,
  zoom: number,
  u: number,
  had: Sides,
): Sides {
  const z = zoom - Math.log2(u);
  return [0, 1, 2].map((rank) => {
    const least = LEAST[rank] ?? 4;
    const most = MOST[rank] ?? 30;
    const [from = 0, to = 1, start = 1] = GROWS[rank] ?? [];
    const grown = Math.min(1, Math.max(0, (z - from) / (to - from)));
    const byZoom = most * (start + (1 - start) * grown);
    const n = Math.max(1, inView[rank] ?? 0);
    const byCrowd = Math.sqrt(((SHARE[rank] ?? 0.02) * area) / n) / u;
    const side = Math.max(least, Math.min(byZoom, byCrowd));
    if (side >= most) return most * u;
    const before = (had[rank] ?? side * u) / u;
    const close = Math.abs(Math.log(side / before)) < STEP * 1.01;
    if (close) return before * u;
    return Math.exp(Math.round(Math.log(side) / STEP) * STEP) * u;
  }) as Sides;
}
