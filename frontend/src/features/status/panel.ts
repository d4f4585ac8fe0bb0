// What the panel of levels asks: the order, and who may do what. Pure.
import type { AreaStatus } from "../../wire/wire";
import { HOUSE, NORMAL } from "./level";

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
