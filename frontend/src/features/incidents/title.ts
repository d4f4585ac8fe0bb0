// What an incident is called on a screen.
import type { IncidentType } from "../../api/incidents";
import type { Lang } from "../../i18n/lang.svelte";
import type { Incident } from "../../wire/wire";
import { limitOf } from "./limited";
import { splitTitle } from "./rank";

export const capital = (text: string): string =>
  text.charAt(0).toUpperCase() + text.slice(1);

/** An incident type's name; its code where the table is not here. */
export function typeWord(
  code: string,
  types: readonly IncidentType[],
  lang: Lang,
): string {
  const known = types.find((t) => t.code === code);
  return known ? capital(known[lang]) : code;
}

/**
 * What is left of an incident says its type in the house's language alone: its title is that type in the reader's. The house makes titles of types and events,
 * which begin small: on a screen they begin as a sentence does.
 */
export function titled(
  incident: Incident,
  types: readonly IncidentType[],
  lang: Lang,
): Incident {
  const known =
    limitOf(incident) === "coarse" &&
    types.some((t) => t.code === incident.type);
  const title = known
    ? typeWord(incident.type, types, lang)
    : capital(incident.title);
  return title === incident.title ? incident : { ...incident, title };
}

/** A title in what happened and the rest; what is left of an incident has its type alone, whose name may have a comma. */
export const titleParts = (
  incident: Incident,
): { event: string; rest: string } =>
  limitOf(incident) === "coarse"
    ? { event: incident.title, rest: "" }
    : splitTitle(incident.title);
