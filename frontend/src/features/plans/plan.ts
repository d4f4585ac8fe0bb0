// Plans by their clock, and the alarms that they hold. Pure.
import { instant } from "../../i18n/format";
import type { Alarm, Plan, PlanState } from "../../wire/wire";

/** A plan follows the clock, and only its ends are told. */
export function stateAt(p: Plan, now: number): PlanState {
  if (p.state === "cancelled") return "cancelled";
  const from = instant(p.from);
  const to = instant(p.to);
  if (from !== null && now < from) return "planned";
  return to !== null && now >= to ? "over" : "running";
}

/** Those that are drawn: running or ahead; what runs first, then what begins first. */
export function standing(all: readonly Plan[], now: number): Plan[] {
  const order = { running: 0, planned: 1, over: 2, cancelled: 3 };
  return all
    .filter((p) => {
      const s = stateAt(p, now);
      return s === "running" || s === "planned";
    })
    .sort(
      (a, b) =>
        order[stateAt(a, now)] - order[stateAt(b, now)] ||
        (instant(a.from) ?? 0) - (instant(b.from) ?? 0) ||
        (a.id < b.id ? -1 : 1),
    );
}

/** Alarms that a plan holds. */
export const heldBy = (alarms: readonly Alarm[], id: string): Alarm[] =>
  alarms.filter((a) => a.suppression?.parent === `plan:${id}`);
