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

/** In the order of a panel: what is proposed or above Normal first, the worst on top. */
export function inOrder(all: readonly AreaStatus[]): AreaStatus[] {
  const weight = (s: AreaStatus) =>
    Math.max(s.level, s.proposal?.level ?? 0) * 2 + (s.proposal ? 1 : 0);
  return [...all].sort(
    (a, b) =>
      Number(a.simulated) - Number(b.simulated) ||
      weight(b) - weight(a) ||
      Number(b.hazard === HOUSE) - Number(a.hazard === HOUSE) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** What has nothing to be looked at. */
export const calm = (s: AreaStatus): boolean =>
  s.level === NORMAL && s.proposal === null && s.scales.length === 0;

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

export interface Right {
  propose: boolean;
  confirm: boolean;
}

/** From this level on, and back from it, leadership decides (domain.md section 3). */
export const LEADERSHIP = 4;

/** Whether this person may bring the status to a level; the house has the last word. */
export const maySet = (s: AreaStatus, level: number, right: Right): boolean =>
  Math.max(s.level, level) >= LEADERSHIP ? right.confirm : right.propose;

/** Whether this person may confirm what is proposed: the rules name who. An administrator who may set levels is the house itself. */
export const mayConfirm = (
  s: AreaStatus,
  right: Right,
  roles: readonly string[],
): boolean =>
  s.proposal !== null &&
  maySet(s, s.proposal.level, right) &&
  (s.proposal.who.length === 0 ||
    roles.includes("admin") ||
    s.proposal.who.some((r) => roles.includes(r)));

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
