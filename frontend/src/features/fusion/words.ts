// Suggestions in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import { fixed } from "../../i18n/format";
import type { Incident, Suggestion } from "../../wire/wire";
import { shortNumber } from "../incidents/rank";

const REASON: Record<string, () => string> = {
  same_type: m.fus_same_type,
  type: m.fus_same_type,
  near: m.fus_near,
  soon: m.fus_soon,
  same_source: m.fus_same_source,
  source: m.fus_same_source,
  words: m.fus_words,
  adjoining: m.fus_adjoining,
};

/** The kind of a reason; what this screen does not know is told in the house's own words alone. */
export const reasonWord = (code: string): string => REASON[code]?.() ?? "";

/** "0,82": it is no share of anything, so no per cent. */
export const weightWord = (weight: number): string => fixed(weight, 2);

/** What one key does. */
export function proposal(
  s: Suggestion,
  incident: (id: string) => Pick<Incident, "number" | "title"> | undefined,
  type: (code: string) => string,
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
        neighbour: s.neighbour ?? "",
      });
    default:
      return m.fus_do_join({ number: name(s.incident) });
  }
}
