// How large text must be to be read from where people sit (domain.md, section 9). Pure.

/** Working text is seen under so many minutes of arc; its capitals are this part of the font's size. */
const WORKING_ARC_MIN = 20.7;
const CAP = 0.668;
/** Working text of the composition, in its own pixels. */
const WORKING_PX = 36;
const MIN = 0.7;
const MAX = 2;

/** Height in millimetres of capitals that are read at so many metres. */
export const capMm = (distanceM: number): number =>
  2 * distanceM * 1000 * Math.tan(((WORKING_ARC_MIN / 60 / 2) * Math.PI) / 180);

/**
 * By how much the composition grows on a screen of `unit` CSS pixels to one of its own, where a CSS pixel measures `mmPerPx` millimetres on
 * the glass; 0: not known, and the composition keeps its size. `own` is the factor that somebody has set by hand.
 */
export function textScale(
  distanceM: number,
  mmPerPx: number,
  unit: number,
  own: number,
): number {
  const by =
    mmPerPx > 0 && unit > 0
      ? capMm(distanceM) / (mmPerPx * CAP) / (WORKING_PX * unit)
      : 1;
  return Math.min(MAX, Math.max(MIN, Math.round(by * own * 50) / 50));
}
