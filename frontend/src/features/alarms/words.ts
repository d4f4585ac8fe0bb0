// Alarms in the screen's language: how they stand, why they are not presented, where they come from.
import { m } from "../../i18n/paraglide/messages.js";
import { age, instant, longAge, stamp } from "../../i18n/format";
import type { Problem } from "../../api/call";
import type { Alarm } from "../../wire/wire";
import { codeOf, problemWords, storeAway } from "../../i18n/problem.svelte";
import { language } from "../../i18n/lang.svelte";
import { types } from "../../stores/types.svelte";
import { personWord } from "../incidents/person";
import { inWords } from "../incidents/title";

const WHY: Record<string, () => string> = {
  group: m.alm_why_group,
  flood: m.alm_why_flood,
  budget: m.alm_why_budget,
  chattering: m.alm_why_chattering,
  shelved: m.alm_why_shelved,
  plan: m.alm_why_plan,
  feed: m.alm_why_feed,
  incident: m.alm_why_incident,
};
/** Why it is not presented; a reason this screen does not know is shown as the house wrote it. */
export const whyWord = (why: string): string =>
  WHY[why]?.() ?? (why || m.alm_why_other());

const RUNG: Record<string, () => string> = {
  desks: m.alm_rung_desks,
  wall: m.alm_rung_wall,
  duty: m.alm_rung_duty,
  leadership: m.alm_rung_leadership,
};
/** Where an alarm has climbed that nobody has seen. */
export const rungWord = (to: string): string => RUNG[to]?.() ?? to;

const CLIMB: Record<string, () => string> = {
  unstaffed: m.alm_climb_unstaffed,
  unpainted: m.alm_climb_unpainted,
  unacknowledged: m.alm_climb_unacknowledged,
};
/** Why it has climbed. */
export const climbWord = (why: string): string => CLIMB[why]?.() ?? why;

const LOAD: Record<string, () => string> = {
  ok: m.alm_load_ok,
  acceptable: m.alm_load_acceptable,
  over: m.alm_load_over,
  flood: m.alm_flood,
};
export const loadWord = (load: string): string => LOAD[load]?.() ?? load;

/** How it stands, in one or two words: who has it, until when it is away, why it is not in the queue. */
export function stateWord(
  a: Alarm,
  { me, now, zone }: { me: string; now: number; zone: string },
): string {
  if (a.state === "shelved") {
    const until = instant(a.shelf?.until);
    return until === null
      ? m.alm_why_shelved()
      : m.alm_shelved_until({ time: stamp(until, now, zone) });
  }
  if (a.latched) return m.alm_latched();
  if (!a.presented && a.withheld) return whyWord(a.withheld);
  if (a.state === "acknowledged") {
    const by = a.ack?.by ?? "";
    if (by === "") return m.status_acknowledged();
    return by === me ? m.desk_you() : personWord(by);
  }
  return m.status_new();
}

/**
 * What it is called. The house calls its own alarms in every language; those of an older server in one, by their code in the reader's: "Chattering sensor: Muka air tinggi", "awlr: Feed down";
 * and an incident that nobody gave a title by its type.
 */
export function eventWord({
  event,
  code,
  type = "",
  names,
}: {
  event: string;
  code?: string;
  type?: string;
  names?: Record<string, string> | null;
}): string {
  const own = names?.[language.current];
  if (own) return own;
  switch (code) {
    case "flood":
      return m.alm_flood();
    case "chattering":
      return event.replace(/^[^:]*/, m.alm_event_chattering());
    case "feed":
      return event.replace(/[^:]*$/, ` ${m.alm_event_feed()}`);
    default:
      return inWords(event, type, types.all, language.current);
  }
}

/** Where it comes from: the sensor by its name unless that was said, and the rule; else the feed. */
export function sourceWord(
  a: Alarm,
  thing: (id: string) => { name: string } | undefined,
  said = "",
): string {
  const sensor = a.thing ? thing(a.thing)?.name || a.thing_name || a.thing : "";
  const name = sensor === said ? "" : sensor;
  const rule = a.rule ? m.desk_actor_rule({ name: a.rule }) : "";
  if (name || rule) return [name, rule].filter(Boolean).join(", ");
  if (a.feed) return m.desk_actor_feed({ name: a.feed });
  if (a.source.startsWith("house:")) return m.alm_source_house();
  return a.source === "person" ? m.alm_source_person() : a.source;
}

/** "act within 3 min", "2 min late". */
export const leftWords = (leftMs: number): string =>
  leftMs >= 0
    ? m.alm_act_within({ age: age(leftMs) })
    : m.alm_act_late({ age: longAge(-leftMs) });

/** Why an act was not done. */
export function faultWords(status: number, problem: Problem): string {
  if (status === 0) return m.alm_fault_unreachable();
  if (storeAway(status, problem)) return m.desk_fault_busy();
  if (status === 404) return m.alm_fault_gone();
  if (
    ["", "changed", "not-allowed"].includes(codeOf(problem)) &&
    status === 409
  )
    return m.alm_fault_stale();
  const words = problemWords(status, problem);
  return status === 403 ? words : `${m.desk_fault_failed()}: ${words}`;
}
