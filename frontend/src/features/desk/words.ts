// Acts, reasons, people and kinds in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import type { Verb } from "../../api/incidents";
import { personWord } from "../incidents/person";
import { reasonWords } from "../incidents/reason";

export { reasonWords } from "../incidents/reason";
export { capital, titled, typeWord } from "../incidents/title";

const VERB: Record<Verb, () => string> = {
  acknowledged: m.desk_do_acknowledge,
  dispatched: m.desk_do_dispatch,
  on_scene: m.desk_do_on_scene,
  resolved: m.desk_do_resolve,
  closed: m.desk_do_close,
  cancelled: m.desk_do_cancel,
  reopened: m.desk_do_reopen,
};

/** The button's words: what pressing it does. */
export const verbWord = (verb: Verb): string =>
  (VERB[verb] as (() => string) | undefined)?.() ?? verb;

const DONE: Record<string, () => string> = {
  opened: m.desk_did_open,
  acknowledged: m.desk_did_acknowledge,
  dispatched: m.desk_did_dispatch,
  on_scene: m.desk_did_on_scene,
  resolved: m.desk_did_resolve,
  closed: m.desk_did_close,
  cancelled: m.desk_did_cancel,
  reopened: m.desk_did_reopen,
  evidence: m.desk_did_evidence,
  evidence_added: m.desk_did_evidence_added,
  evidence_removed: m.desk_did_evidence_removed,
  merged: m.desk_did_merged,
  merged_into: m.desk_did_merged_into,
  unmerged: m.desk_did_unmerged,
  split: m.desk_did_split,
  cleared: m.desk_did_cleared,
  basis_withdrawn: m.desk_did_basis_withdrawn,
  held: m.life_did_held,
  decided: m.life_did_decided,
  resumed: m.life_did_resumed,
  edited: m.life_did_edited,
  checked: m.life_did_checked,
  unchecked: m.life_did_unchecked,
  confirmed: m.life_did_confirmed,
  disputed: m.life_did_disputed,
  commented: m.cas_did_commented,
  attached: m.cas_did_attached,
  proved: m.cas_did_proved,
  handover_asked: m.cas_did_handover_asked,
  handover_accepted: m.cas_did_handover_accepted,
  handover_declined: m.cas_did_handover_declined,
  handover_withdrawn: m.cas_did_handover_withdrawn,
  handover_late: m.cas_did_handover_late,
  sla_missed: m.cas_did_sla_missed,
  panic: m.cas_did_panic,
  dispatch_offered: m.desk_did_dispatch_offered,
  dispatch_accepted: m.desk_did_dispatch_accepted,
  dispatch_declined: m.desk_did_dispatch_declined,
  dispatch_expired: m.desk_did_dispatch_expired,
  dispatch_en_route: m.desk_did_dispatch_en_route,
  dispatch_on_scene: m.desk_did_dispatch_on_scene,
  dispatch_done: m.desk_did_dispatch_done,
  dispatch_cancelled: m.desk_did_dispatch_cancelled,
};

/** A line of the timeline: what was done. An act this screen does not know is shown as the house wrote it. */
export const doneWord = (act: string): string => DONE[act]?.() ?? act;

const CODE: Record<string, () => string> = {
  advice_given: m.desk_outcome_advice,
  no_unit_needed: m.desk_outcome_no_unit,
  referred: m.desk_outcome_referred,
  false: m.desk_reason_false,
  prank: m.desk_reason_prank,
  test: m.desk_reason_test,
  out_of_area: m.desk_reason_out_of_area,
  duplicate: m.desk_reason_duplicate,
  unspecified: m.desk_reason_unspecified,
  rule_changed: m.desk_basis_rule,
  disproved: m.desk_basis_disproved,
  sensor_fault: m.desk_basis_fault,
};

export const codeWord = (code: string): string => CODE[code]?.() ?? code;

/** A note of the house begins with its code or reason, "referred: to PLN": that is said in words. */
export function noteWords(note: string): string {
  const [code = "", ...rest] = note.split(": ");
  return [code in CODE ? codeWord(code) : reasonWords(code), ...rest].join(
    ": ",
  );
}

/** Who: "user:dewi" is dewi, the one who sits here is you. */
export function actorWord(actor: string, me: string): string {
  if (actor === "") return m.desk_nobody();
  if (actor === me) return m.desk_you();
  if (actor === "user" || actor.startsWith("user:")) return personWord(actor);
  const [kind = "", ...rest] = actor.split(":");
  const name = rest.join(":");
  if (kind === "rule") return m.desk_actor_rule({ name });
  if (kind === "feed") return m.desk_actor_feed({ name });
  return name === "" ? actor : name;
}
