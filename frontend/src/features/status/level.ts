// The level of the area: which of them the wall says, and in which words. A number never stands without its word and its hazard. Pure.
import { instant } from "../../i18n/format";
import { wordsOf, type Profile } from "../../api/profile";
import type { AreaStatus, StatusScale } from "../../wire/wire";

/** Hazard of the area as a whole. */
export const HOUSE = "area";
export const NORMAL = 1;

/** The worst confirmed level of what is real, and how many more hazards are above Normal. A hazard by its name says more than the area as a whole. */
export function leading(
  all: readonly AreaStatus[],
): { status: AreaStatus; more: number } | null {
  const real = all.filter((s) => !s.simulated);
  const above = real.filter((s) => s.level > NORMAL);
  const house = real.find((s) => s.hazard === HOUSE);
  const worst = [...above].sort(
    (a, b) =>
      b.level - a.level ||
      Number(a.hazard === HOUSE) - Number(b.hazard === HOUSE) ||
      (instant(b.since) ?? 0) - (instant(a.since) ?? 0) ||
      (a.id < b.id ? -1 : 1),
  );
  const status = worst[0] ?? house ?? real[0];
  if (!status) return null;
  const others = above.filter(
    (s) => s.id !== status.id && s.hazard !== HOUSE,
  ).length;
  return { status, more: others };
}

export function levelWord(
  profile: Profile | null,
  level: number,
  lang: string,
): string {
  const known = profile?.levels.status.find((l) => l.level === level);
  return wordsOf(known?.names, lang) || known?.code || "";
}

export const hazardWord = (s: AreaStatus, lang: string): string =>
  wordsOf(s.names, lang) || s.hazard;

/** Proposals that wait for somebody. */
export const proposed = (all: readonly AreaStatus[]): AreaStatus[] =>
  all.filter((s) => s.proposal !== null);

/** A step of somebody else's scale: always with the name of the scale, never turned into ours. */
export function scaleWords(
  profile: Profile | null,
  one: Pick<StatusScale, "scale" | "step">,
  lang: string,
): { scale: string; step: string } {
  const scale = profile?.levels.scales.find((s) => s.scale === one.scale);
  const step = scale?.steps.find(
    (s) => s.code.toLowerCase() === one.step.toLowerCase(),
  );
  return {
    scale: wordsOf(scale?.names, lang) || one.scale,
    step: wordsOf(step?.names, lang) || one.step,
  };
}
