// Which alarms the queue shows, in which order, and what is left of the time to act. Pure.
import { instant } from "../../i18n/format";
import type { Alarm, Priority } from "../../wire/wire";

export const PRIORITIES: readonly Priority[] = ["P1", "P2", "P3"];

/** queue: presented and standing; raised: of these what nobody has acknowledged; withheld: kept back as evidence, what is shelved too. */
export type Pile = "queue" | "raised" | "shelved" | "withheld";
export const PILES: readonly Pile[] = [
  "queue",
  "raised",
  "shelved",
  "withheld",
];

export interface Filters {
  pile: Pile;
  priority: "" | Priority;
  /** Only what is this desk's, or every desk's. */
  mine: boolean;
  /** Why it is not presented; only of the pile of these. */
  why: string;
  text: string;
}

export const NO_FILTERS: Filters = {
  pile: "queue",
  priority: "",
  mine: false,
  why: "",
  text: "",
};

/** Nobody has taken note of it. */
export const waits = (a: Alarm): boolean =>
  a.state === "raised" || a.latched === true;

export const grave = (a: Alarm): boolean => a.priority === "P1" && waits(a);

/** An alarm that names no desk is everybody's. Whoever sits at none hears them all. */
export const isFor = (a: Alarm, desk: string): boolean =>
  !a.desk || desk === "" || a.desk === desk;

function inPile(a: Alarm, pile: Pile): boolean {
  switch (pile) {
    case "queue":
      return a.presented;
    case "raised":
      return a.presented && waits(a);
    case "shelved":
      return a.state === "shelved";
    default:
      return !a.presented;
  }
}

/** What sockets tell and what was read beside it; of an alarm that is in both the newer version. */
export function together(
  told: readonly Alarm[],
  read: readonly Alarm[],
): readonly Alarm[] {
  if (read.length === 0) return told;
  const out = new Map(read.map((a) => [a.id, a]));
  for (const a of told)
    if (a.version >= (out.get(a.id)?.version ?? 0)) out.set(a.id, a);
  return [...out.values()];
}

/** How many lie in each pile. */
export function piles(alarms: readonly Alarm[]): Record<Pile, number> {
  const out = { queue: 0, raised: 0, shelved: 0, withheld: 0 };
  for (const a of alarms) for (const p of PILES) if (inPile(a, p)) out[p]++;
  return out;
}

/** Why alarms are not presented, the most frequent first. */
export function reasons(alarms: readonly Alarm[]): [why: string, n: number][] {
  const out = new Map<string, number>();
  for (const a of alarms) {
    if (a.presented) continue;
    const why = a.withheld ?? "";
    out.set(why, (out.get(why) ?? 0) + 1);
  }
  return [...out].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

const since = (a: Alarm): number =>
  instant(a.presented_at) ?? instant(a.raised_at) ?? 0;

/** By priority, then the newest. The order does not depend on the order of arrival. */
export function ordered(alarms: readonly Alarm[]): Alarm[] {
  return [...alarms].sort(
    (a, b) =>
      PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) ||
      since(b) - since(a) ||
      (a.id < b.id ? -1 : 1),
  );
}

function holds(a: Alarm, wanted: string): boolean {
  return [
    a.event,
    a.area_name,
    a.thing_name,
    a.source,
    a.rule,
    a.thing,
    a.feed,
    a.type,
  ]
    .filter((t): t is string => typeof t === "string")
    .some((t) => t.toLowerCase().includes(wanted));
}

export function shown(
  alarms: readonly Alarm[],
  f: Filters,
  desk: string,
): Alarm[] {
  const wanted = f.text.trim().toLowerCase();
  return ordered(
    alarms.filter(
      (a) =>
        inPile(a, f.pile) &&
        (f.priority === "" || a.priority === f.priority) &&
        (!f.mine || isFor(a, desk)) &&
        (f.pile !== "withheld" ||
          f.why === "" ||
          (a.withheld ?? "") === f.why) &&
        (wanted === "" || holds(a, wanted)),
    ),
  );
}

/** The alarms that one stands for, as far as they are here: the worst first. */
export const membersOf = (
  alarms: readonly Alarm[],
  id: string,
): readonly Alarm[] =>
  ordered(alarms.filter((a) => a.group === id && a.id !== id));

/** Milliseconds until somebody must have acted, negative once that is past; null: nobody has said, or it is taken note of. */
export function actLeft(a: Alarm, now: number): number | null {
  const by = instant(a.act_by);
  return by === null || !waits(a) ? null : by - now;
}

/** What may be acknowledged in one press: never P1. */
export const inBulk = (alarms: readonly Alarm[]): Alarm[] =>
  alarms.filter((a) => a.priority !== "P1" && a.presented && waits(a));

/** Longest shelving in minutes, and steps to choose from (domain.md section 6). */
export function shelfSteps(priority: Priority): readonly number[] {
  return priority === "P1" ? [15, 30, 60] : [15, 30, 60, 120, 240, 480];
}

/** Whoever may act shelves P2 and P3, a supervisor P1. An alarm of a flood is not shelved: it says how the desk is. */
export function mayShelve(
  a: Alarm,
  may: { act: boolean; urgent: boolean },
): boolean {
  if (a.code === "flood") return false;
  if (a.state !== "raised" && a.state !== "acknowledged") return false;
  return a.priority === "P1" ? may.urgent : may.act;
}
