// Incidents that nobody has seen although their alarm has climbed for it (N10). Pure.
import { instant } from "../../i18n/instant";
import type { Alarm, Incident } from "../../wire/wire";

/** Since when each incident waits for somebody to see it, milliseconds since 1970, by its id; only those whose alarm has climbed. */
export function unseenSince(
  alarms: readonly Alarm[],
): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  for (const a of alarms) {
    if (!a.incident || !a.active || a.seen || (a.climbed ?? []).length === 0)
      continue;
    // Shelved or suppressed by somebody, it has been looked at.
    if (a.state === "shelved" || a.state === "suppressed") continue;
    const at = instant(a.presented_at) ?? instant(a.raised_at);
    if (at === null) continue;
    out.set(a.incident, Math.min(at, out.get(a.incident) ?? at));
  }
  return out;
}

/** Whoever waits to be seen comes first; else the order stays. */
export const unseenFirst = (
  incidents: readonly Incident[],
  since: ReadonlyMap<string, number>,
): Incident[] => [
  ...incidents.filter((i) => since.has(i.id)),
  ...incidents.filter((i) => !since.has(i.id)),
];
