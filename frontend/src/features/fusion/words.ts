// Suggestions in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import { fixed } from "../../i18n/format";
import type { Incident, JoinReason, Suggestion } from "../../wire/wire";
import { shortNumber } from "../incidents/rank";

const REASON: Record<string, () => string> = {
  same_type: m.fus_same_type,
  kin_type: m.fus_kin_type,
  near: m.fus_near,
  far: m.fus_near,
  soon: m.fus_soon,
  late: m.fus_soon,
  independent: m.fus_independent,
  words: m.fus_words,
  severity: m.fus_severity,
  accounts: m.fus_accounts,
  coarse: m.fus_coarse,
  seen: m.fus_seen,
  out_of_area: m.fus_out_of_area,
};

/** A reason with what it rests on: "same type: Flood". A kind that this screen does not know is told in the house's own words. */
export function reasonWord(
  reason: JoinReason,
  value: (code: string) => string,
): string {
  const word = REASON[reason.code]?.();
  if (word === undefined) return reason.text;
  return reason.value ? `${word}: ${value(reason.value)}` : word;
}

/** "0,82": it is no share of anything, so no per cent. */
export const weightWord = (weight: number): string => fixed(weight, 2);

/** What one key does. */
export function proposal(
  s: Suggestion,
  incident: (id: string) => Pick<Incident, "number" | "title"> | undefined,
  type: (code: string) => string,
  neighbour: (slug: string) => string,
): string {
  const name = (id: string | undefined) => {
    const known = id ? incident(id) : undefined;
    return known ? shortNumber(known.number) : m.fus_an_incident();
  };
  switch (s.kind) {
    case "merge":
      return m.fus_do_merge({ other: name(s.other), into: name(s.incident) });
    case "open":
      return m.fus_do_open({
        type: type(s.type),
        area: s.area_name || m.place_unknown(),
      });
    case "hand_over":
      return m.fus_do_hand_over({
        number: name(s.incident),
        neighbour: neighbour(s.neighbour ?? ""),
      });
    default:
      return m.fus_do_join({ number: name(s.incident) });
  }
}
