// What the level of the area rests on, in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import type { IncidentType } from "../../api/incidents";
import type { Lang } from "../../i18n/lang.svelte";
import type { StatusEvidence } from "../../wire/wire";
import { shortNumber } from "../incidents/rank";
import { typeWord } from "../incidents/title";
import { severityLabel } from "../incidents/words";

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
