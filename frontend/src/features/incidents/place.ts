// Where numbers stand beside their marks, so that no two words lie on each other. Pixels; the first to ask is served first.

export interface Spot {
  id: string;
  x: number;
  y: number;
  /** Half the mark's height. */
  half: number;
  /** Width and height of the words. */
  width: number;
  height: number;
}

export type Side = "right" | "left" | "below" | "above" | "none";

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

const meets = (a: Rect, b: Rect) =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

function rectFor(spot: Spot, side: Side, gap: number): Rect {
  const { x, y, half, width: w, height: h } = spot;
  switch (side) {
    case "left":
      return { x: x - half - gap - w, y: y - h / 2, w, h };
    case "below":
      return { x: x - w / 2, y: y + half, w, h };
    case "above":
      return { x: x - w / 2, y: y - half - h, w, h };
    default:
      return { x: x + half + gap, y: y - h / 2, w, h };
  }
}

/** Of the words on a plate, so many stand on a line at its smaller size; no more than three lines. */
const ON_LINE = 16;
const AT_ONCE = 13;

/** How many lines a plate's first words take: one line at full size, or two or three at floor size. */
export const plateLines = (words: string): number =>
  words.length <= AT_ONCE
    ? 1
    : Math.min(3, Math.max(2, Math.ceil(words.length / ON_LINE)));

/** The plate's height in mock pixels: 28 px lines of 1.15, or one of 36, over a line of state. */
export const plateHeight = (lines: number): number =>
  lines === 1 ? 92 : 50 + 33 * lines;

/**
 * Where a plate of this size may stand near a mark, as the offset of its corner from the mark's middle: the first place that hides no mark or
 * pin and lies under no panel, or as little as may be.
 */
export function placePlate(
  mark: Spot,
  plate: { width: number; height: number },
  others: readonly Spot[],
  size: { width: number; height: number },
  gap: number,
  covered: readonly Rect[] = [],
  pins: readonly Rect[] = [],
): { x: number; y: number } {
  const { width: w, height: h } = plate;
  const out = mark.half + gap;
  const corners = [
    { x: -w * 0.85, y: -out - h },
    { x: -w * 0.15, y: -out - h },
    { x: out, y: -h / 2 },
    { x: -out - w, y: -h / 2 },
    { x: -w * 0.85, y: out },
    { x: -w * 0.15, y: out },
  ].map(({ x, y }) => ({
    x: Math.max(
      gap / 2 - mark.x,
      Math.min(size.width - w - gap / 2 - mark.x, x),
    ),
    y: Math.max(
      gap / 2 - mark.y,
      Math.min(size.height - h - gap / 2 - mark.y, y),
    ),
  }));
  const rect = (c: { x: number; y: number }) => ({
    x: mark.x + c.x,
    y: mark.y + c.y,
    w,
    h,
  });
  const hidden = (c: { x: number; y: number }) => {
    const r = rect(c);
    const box = (s: Spot) => ({
      x: s.x - s.half,
      y: s.y - s.half,
      w: 2 * s.half,
      h: 2 * s.half,
    });
    // To hide its own mark is the worst of all; then to be hidden under a panel.
    return (
      (meets(r, box(mark)) ? 1_000 : 0) +
      100 * covered.filter((o) => meets(r, o)).length +
      others.filter((o) => o.id !== mark.id && meets(r, box(o))).length +
      pins.filter((o) => meets(r, o)).length
    );
  };
  let best = corners[0] ?? { x: 0, y: 0 };
  for (const c of corners) if (hidden(c) < hidden(best)) best = c;
  return best;
}

/** A mark whose middle is nearer to another's than this part of the larger one hides it, or is hidden. */
const HIDDEN = 0.4;
/** One that steps aside goes so many times both their halves, and once more as far where all around is taken. */
const STEP = 1.35;
const WAYS = [0, 1, -1, 2, -2, 3, -3, 4].map((n) => (n * Math.PI) / 4);

type Mark = Pick<Spot, "id" | "x" | "y" | "half">;
type Place = Omit<Mark, "id">;

/**
 * Where marks stand so that none hides another. Whoever comes first keeps its place; a later one on it steps aside, to the right first, where it
 * is on the map, under no panel and in nobody's place. Pixels from where each belongs; what stands in its place is not named. Where there is no
 * such place, marks lie on each other.
 */
export function stepAside(
  marks: readonly Mark[],
  size: { width: number; height: number },
  covered: readonly Rect[] = [],
): Map<string, { x: number; y: number }> {
  const standing: Place[] = [];
  const near = (place: Place) =>
    standing.find(({ x, y, half }) => {
      const least = 2 * HIDDEN * Math.max(half, place.half);
      return (x - place.x) ** 2 + (y - place.y) ** 2 < least * least;
    });
  const yields: [Mark, Place][] = [];
  for (const mark of marks) {
    const below = near(mark);
    if (below) yields.push([mark, below]);
    else standing.push(mark);
  }
  const seen = ({ x, y, half }: Place) => {
    const box = { x: x - half, y: y - half, w: 2 * half, h: 2 * half };
    return (
      box.x >= 0 &&
      box.y >= 0 &&
      box.x + box.w <= size.width &&
      box.y + box.h <= size.height &&
      !covered.some((c) => meets(c, box))
    );
  };
  const aside = new Map<string, { x: number; y: number }>();
  for (const [mark, below] of yields) {
    const far = STEP * (below.half + mark.half);
    const free = [far, 2 * far]
      .flatMap((d) =>
        WAYS.map((way) => ({
          x: below.x + d * Math.cos(way),
          y: below.y + d * Math.sin(way),
          half: mark.half,
        })),
      )
      .find((place) => seen(place) && !near(place));
    if (!free) continue;
    standing.push(free);
    aside.set(mark.id, { x: free.x - mark.x, y: free.y - mark.y });
  }
  return aside;
}

/** A side for every spot, one without a pin rather than another; "none" where every side is taken or off the map. */
export function placeWords(
  spots: readonly Spot[],
  size: { width: number; height: number },
  gap: number,
  covered: readonly Rect[] = [],
  pins: readonly Rect[] = [],
): Map<string, Side> {
  const taken: Rect[] = spots.map(({ x, y, half }) => ({
    x: x - half,
    y: y - half,
    w: 2 * half,
    h: 2 * half,
  }));
  const sides = new Map<string, Side>();
  spots.forEach((spot, index) => {
    const clear = (["right", "left", "below", "above"] as const).filter(
      (side) => {
        const r = rectFor(spot, side, gap);
        const inside =
          r.x >= 0 &&
          r.y >= 0 &&
          r.x + r.w <= size.width &&
          r.y + r.h <= size.height;
        if (!inside || covered.some((c) => meets(r, c))) return false;
        return !taken.some((t, i) => i !== index && meets(r, t));
      },
    );
    const free =
      clear.find((side) => {
        const r = rectFor(spot, side, gap);
        return !pins.some((p) => meets(r, p));
      }) ?? clear[0];
    sides.set(spot.id, free ?? "none");
    if (free) taken.push(rectFor(spot, free, gap));
  });
  return sides;
}
