// What an incident is called on a screen.
import type { IncidentType } from "../../api/incidents";
import type { Lang } from "../../i18n/lang.svelte";
import { m } from "../../i18n/paraglide/messages.js";
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
 * The title in the reader's language as far as the house made it: what is left of an incident says its type alone, and a title that nobody gave begins with the
 * type's name in the house's language, in small letters. What people wrote stays, but for a capital.
 */
export function titled(
  incident: Incident,
  types: readonly IncidentType[],
  lang: Lang,
): Incident {
  const title = capital(said(incident, types, lang));
  return title === incident.title ? incident : { ...incident, title };
}

/** As titled, for many, again and again: an incident that has not changed stays the same object, so that a screen draws only what did. */
export function titler(
  types: readonly IncidentType[],
  lang: Lang,
): (incident: Incident) => Incident {
  const known = new WeakMap<Incident, Incident>();
  return (incident) => {
    const before = known.get(incident);
    if (before) return before;
    const made = titled(incident, types, lang);
    known.set(incident, made);
    return made;
  };
}

function said(
  incident: Incident,
  types: readonly IncidentType[],
  lang: Lang,
): string {
  const type = types.find((t) => t.code === incident.type);
  if (type && limitOf(incident) === "coarse") return type[lang];
  return inWords(incident.title, incident.type, types, lang);
}

/** With what the house begins the title of an incident that a crew's call for help opened, in its own language. */
const HELP = "Darurat personel ";

/** What the house called by its type, or as a call for help, in its own language: in the reader's. */
export function inWords(
  title: string,
  code: string,
  types: readonly IncidentType[],
  lang: Lang,
): string {
  if (title.startsWith(HELP))
    return `${m.inc_crew_help({}, { locale: lang })} ${title.slice(HELP.length)}`;
  const type = types.find((t) => t.code === code);
  if (!type) return title;
  const begins = title.toLowerCase();
  const name = type.id.toLowerCase();
  return begins === name || begins.startsWith(`${name}, `)
    ? capital(type[lang]) + title.slice(name.length)
    : title;
}

/** A title in what happened and the rest; what is left of an incident has its type alone, whose name may have a comma. */
export const titleParts = (
  incident: Incident,
): { event: string; rest: string } =>
  limitOf(incident) === "coarse"
    ? { event: incident.title, rest: "" }
    : splitTitle(incident.title);
