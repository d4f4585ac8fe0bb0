// How incidents are ordered and named on a screen.
import type { Incident, Severity } from "../../wire/wire";
import { instant } from "../../i18n/format";

/** Worst first. Unknown is not the lowest: nobody has judged it yet, so it stands before Minor (domain, section 2). */
export const SEVERITIES: readonly Severity[] = [
  "Extreme",
  "Severe",
  "Moderate",
  "Unknown",
  "Minor",
];

export function rank(severity: Severity): number {
  const at = SEVERITIES.indexOf(severity);
  return at < 0 ? SEVERITIES.indexOf("Unknown") : at;
}

export function unacknowledged(incident: Incident): boolean {
  return incident.status === "new";
}

/** Only this pulses, has a band and a running age. */
export function loudest(incident: Incident): boolean {
  return incident.severity === "Extreme" && unacknowledged(incident);
}

/** Worst first; of equals the unacknowledged, then the newest. The order does not depend on the order of arrival. */
export function worstFirst(incidents: readonly Incident[]): Incident[] {
  // Read once each: to compare is to read a time a dozen times over.
  return incidents
    .map((incident) => ({
      incident,
      rank: rank(incident.severity),
      seen: Number(!unacknowledged(incident)),
      at: instant(incident.opened_at) ?? 0,
    }))
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        a.seen - b.seen ||
        b.at - a.at ||
        (a.incident.id < b.incident.id ? -1 : 1),
    )
    .map(({ incident }) => incident);
}

/** Open incidents by severity. What is simulated enters no figure. */
export function countBySeverity(
  incidents: readonly Incident[],
): Record<Severity, number> {
  const counts = { Extreme: 0, Severe: 0, Moderate: 0, Unknown: 0, Minor: 0 };
  for (const { severity, simulated } of incidents) {
    if (simulated) continue;
    counts[severity in counts ? severity : "Unknown"]++;
  }
  return counts;
}

/** "SLK-2026-000418" is read over the radio as "418". */
export function shortNumber(number: string): string {
  const last = number.split("-").pop() ?? number;
  return last.replace(/^0+(?=\d)/, "");
}

/** A title begins with its event: "Galodo, Batang Lembang" is the event and the rest. */
export function splitTitle(title: string): { event: string; rest: string } {
  const cut = title.indexOf(", ");
  if (cut < 0) return { event: title, rest: "" };
  return { event: title.slice(0, cut), rest: title.slice(cut + 2) };
}

/** Height of the mark on the map, in mock pixels: the worse, the larger. */
const MARK_PX: Record<Severity, number> = {
  Extreme: 74,
  Severe: 54,
  Moderate: 47,
  Unknown: 40,
  Minor: 36,
};

/** One that this screen does not know is as one that nobody has judged. */
export const markPx = (severity: Severity): number =>
  MARK_PX[severity in MARK_PX ? severity : "Unknown"];

/** Those that the camera keeps in view, with a place. */
export function framed(incidents: readonly Incident[]): Incident[] {
  return incidents.filter((i) => i.location && i.severity !== "Minor");
}
