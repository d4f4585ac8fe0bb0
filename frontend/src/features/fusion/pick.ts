// Which suggestions concern whom, and what belongs together. Pure.
import { instant } from "../../i18n/format";
import type { Evidence, Incident, Suggestion } from "../../wire/wire";
import { rank } from "../incidents/rank";

/** The surest first; of equals the worst, then the newest. */
export const surest = (list: readonly Suggestion[]): Suggestion[] =>
  [...list].sort(
    (a, b) =>
      b.weight - a.weight ||
      rank(a.severity) - rank(b.severity) ||
      (instant(b.at) ?? 0) - (instant(a.at) ?? 0) ||
      (a.id < b.id ? -1 : 1),
  );

/** Those about an incident, from either side. */
export const ofIncident = (
  list: readonly Suggestion[],
  id: string,
): Suggestion[] =>
  surest(list.filter((s) => s.incident === id || s.other === id));

/** Those about a report. */
export const ofReport = (
  list: readonly Suggestion[],
  id: string,
): Suggestion[] =>
  surest(
    list.filter((s) =>
      s.evidence.some((e) => e.kind === "report" && e.ref === id),
    ),
  );

/** Incidents that this one may be merged into: those of its type first, then the nearest. */
export function mates(
  of: Incident,
  all: readonly Incident[],
  distance: (a: Incident, b: Incident) => number | null,
): Incident[] {
  const far = (i: Incident) => distance(of, i) ?? Number.POSITIVE_INFINITY;
  return all
    .filter(
      (i) =>
        i.id !== of.id &&
        i.simulated === of.simulated &&
        i.status !== "closed" &&
        i.status !== "cancelled",
    )
    .sort(
      (a, b) =>
        Number(b.type === of.type) - Number(a.type === of.type) ||
        far(a) - far(b) ||
        (a.id < b.id ? -1 : 1),
    );
}

/** What may be split off: pieces with a ref of their own, once each, the newest first. */
export function pieces(incident: Incident): Evidence[] {
  const seen = new Set<string>();
  return [...((incident.evidence as Evidence[] | null) ?? [])]
    .sort((a, b) => (instant(b.at) ?? 0) - (instant(a.at) ?? 0))
    .filter((e) => {
      if (e.ref === "" || seen.has(e.ref)) return false;
      seen.add(e.ref);
      return true;
    });
}

const DAY_MS = 86_400_000;

/** Into what it was merged, and whether that may still be undone; null: it was not. */
export function mergedInto(
  incident: Incident & { merged_into?: string; merged_at?: string | null },
  now: number,
): { id: string; undoable: boolean } | null {
  const id = incident.merged_into;
  if (!id) return null;
  const at = instant(incident.merged_at ?? incident.updated_at);
  return { id, undoable: at !== null && now - at < DAY_MS };
}
