// What was left out of an incident for whoever looks at it (the server's forms: whole, facts, coarse), as far as it shows.
import type { Evidence, Incident, TimelineEntry } from "../../wire/wire";
import { m } from "../../i18n/paraglide/messages.js";

export type Limit = "" | "facts" | "coarse";

/** A person whose name is kept back. */
const SOMEBODY = "user";

/** A piece of evidence whose words are kept back. */
export const wordless = (e: Evidence): boolean =>
  e.kind !== "observation" && e.kind !== "alert" && !e.text && e.reason === "";

/** coarse: only that it is there, its type, how bad and in which district. facts: without people's words and names. */
export function limitOf(incident: Incident): Limit {
  // Versions begin at 1: only the coarse form has none.
  if (incident.version === 0) return "coarse";
  const evidence = (incident.evidence as Evidence[] | null) ?? [];
  const timeline = (incident.timeline as TimelineEntry[] | null) ?? [];
  const left =
    incident.owner === SOMEBODY ||
    incident.resolved_by === SOMEBODY ||
    incident.why.person === SOMEBODY ||
    timeline.some((t) => t.actor === SOMEBODY) ||
    evidence.some(wordless);
  return left ? "facts" : "";
}

export const limitWords = (limit: Limit): string =>
  limit === "coarse"
    ? m.limited_coarse()
    : limit === "facts"
      ? m.limited_facts()
      : "";
