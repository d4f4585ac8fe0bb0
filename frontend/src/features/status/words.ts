// The level of the area in the screen's language: what became of it, what it rests on, why it was not set.
import { m } from "../../i18n/paraglide/messages.js";
import type { Lang } from "../../i18n/lang.svelte";
import type { Problem } from "../../api/call";
import type { IncidentType } from "../../api/incidents";
import { fieldFaults } from "../../api/status";
import type { StatusEvidence } from "../../wire/wire";
import { faultWords } from "../alarms/words";
import { typeWord } from "../desk/words";
import { shortNumber } from "../incidents/rank";
import { severityLabel } from "../incidents/words";

const ACT: Record<string, () => string> = {
  begun: m.lvl_act_begun,
  proposed: m.lvl_act_proposed,
  withdrawn: m.lvl_act_withdrawn,
  confirmed: m.lvl_act_confirmed,
  reverted: m.lvl_act_reverted,
};
export const actWord = (act: string): string => ACT[act]?.() ?? act;

const KIND: Record<string, () => string> = {
  alert: m.lvl_kind_alert,
  statement: m.lvl_kind_statement,
  alarms: m.lvl_kind_alarms,
  unit: m.lvl_kind_unit,
};

/** Of an incident only number, type, severity and district are told, to everybody alike. */
export function evidenceWord(
  e: StatusEvidence,
  types: readonly IncidentType[],
  lang: Lang,
): string {
  if (e.kind === "incident" && e.type) {
    const severity = e.severity ? severityLabel(e.severity) : "";
    return [
      shortNumber(e.text || e.ref),
      typeWord(e.type, types, lang),
      severity,
      e.area_name ?? "",
    ]
      .filter(Boolean)
      .join(", ");
  }
  return [KIND[e.kind]?.() ?? "", e.text || e.ref].filter(Boolean).join(": ");
}

/** Why a level was not set or a statement not taken: each field with what is wrong. */
export function levelFault(status: number, problem: Problem): string {
  const fields = fieldFaults(problem);
  if (status !== 422 || fields.length === 0) return faultWords(status, problem);
  return [
    m.desk_fault_incomplete(),
    ...fields.map(([field, words]) => `${field}: ${words}`),
  ].join(" ");
}
