// What a crew did and what became of it, in the screen's language.
import { problemWords } from "../../i18n/problem.svelte";
import { age, clockTime, instant, longAge, number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import type { Dispatch, DispatchStatus, IncidentStatus } from "../../wire/wire";
import { standWord } from "../dispatch/words";
import { statusWord } from "../incidents/words";
import type { Act, Step } from "./outbox";

const DID: Record<Step, () => string> = {
  accepted: m.fld_did_accepted,
  declined: m.fld_did_declined,
  en_route: m.fld_did_en_route,
  on_scene: m.fld_did_on_scene,
  done: m.fld_did_done,
};

/** The next step of a task: what its one big button says. */
const DO: Partial<Record<DispatchStatus, { to: Step; word: () => string }>> = {
  offered: { to: "accepted", word: m.fld_accept },
  accepted: { to: "en_route", word: m.fld_depart },
  en_route: { to: "on_scene", word: m.fld_arrive },
  on_scene: { to: "done", word: m.fld_finish },
};
export const nextStep = (
  status: DispatchStatus,
): { to: Step; word: () => string } | null => DO[status] ?? null;

export const actWord = (act: Act): string => {
  switch (act.kind) {
    case "step":
      return DID[act.to]();
    case "note":
      return m.fld_did_note();
    case "photo":
      return m.fld_did_photo();
    case "resolve":
      return m.fld_did_resolve();
    case "panic":
      return m.fld_did_panic();
    case "well":
      return m.fld_well();
  }
};

const MEGA = 1_000_000;
/** "0,4 MB". */
export const size = (bytes: number): string => `${number(bytes / MEGA, 1)} MB`;

/** What is told of an act beside its name. */
export function actMore(act: Act): string {
  if (act.kind === "note") return act.text;
  if (act.kind === "photo") return size(act.bytes);
  if (act.kind === "resolve") return act.outcome;
  return act.kind === "step" ? (act.reason ?? "") : "";
}

export const actTime = (act: Act, zone: string): string => {
  const at = instant(act.at);
  return at === null ? "" : clockTime(at, zone, true);
};

/** What became of an act; `place`: its place among those that wait. */
export function fateWord(act: Act, place: number, zone: string): string {
  switch (act.fate) {
    case "waiting":
      return m.fld_f_waiting({ place: number(place, 0) });
    case "sent":
      return m.fld_f_sent({
        time: clockTime(instant(act.told) ?? 0, zone),
      });
    case "already":
      return m.fld_f_already();
    default:
      return m.fld_f_untaken();
  }
}

/** Why an act was not taken, and what is so instead. */
export function whyNot(act: Act): string {
  if (act.fate === "refused")
    return m.fld_refused({
      detail: problemWords(act.why?.status ?? 422, act.why?.problem ?? {}),
    });
  if (!act.stands) return m.fld_conflict_plain();
  return act.kind === "resolve"
    ? m.fld_conflict_case({ status: statusWord(act.stands as IncidentStatus) })
    : m.fld_conflict({ status: standWord(act.stands as DispatchStatus) });
}

/** How somebody else has ended a task. */
export function goneWord(d: Dispatch, zone: string): string {
  const at = instant(d.times[d.status]);
  const time = at === null ? "" : clockTime(at, zone);
  if (d.status === "cancelled") return m.fld_gone_cancelled({ time });
  if (d.status === "expired") return m.fld_gone_expired({ time });
  return m.fld_gone_other({ status: standWord(d.status), time });
}

export const REASONS = [
  m.fld_why_busy,
  m.fld_why_crew,
  m.fld_why_gear,
  m.fld_why_road,
  m.fld_why_danger,
] as const;

/** "47 dtk", "2 mnt 10 dtk". */
export const leftWord = (ms: number): string =>
  ms < 60_000 ? age(ms) : longAge(ms);
