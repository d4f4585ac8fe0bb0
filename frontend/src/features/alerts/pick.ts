// Which alerts a wall names, and in which words.
import type { Alert } from "../../wire/wire";
import type { Lang } from "../../i18n/lang.svelte";
import { instant } from "../../i18n/format";
import { rank } from "../incidents/rank";

export function inForce(alert: Alert, now: number): boolean {
  const expires = instant(alert.expires);
  return alert.state === "active" && (expires === null || expires > now);
}

/** The alert's event in the screen's language where the agency gave it, else as it was given. */
export function eventOf(alert: Alert, lang: Lang): string {
  const texts = alert.texts ?? [];
  const own = texts.find((t) => t.language.toLowerCase().startsWith(lang));
  const event = own?.event ?? alert.event;
  return event === "" ? alert.headline : event;
}

/** Those that concern this place: worst first, then newest. A rule's alert whose incident is open is already on the wall. */
export function concerning(
  alerts: readonly Alert[],
  now: number,
  openIncidents: ReadonlySet<string>,
): Alert[] {
  return alerts
    .filter(
      (a) =>
        a.relevant &&
        inForce(a, now) &&
        !(a.incident !== undefined && openIncidents.has(a.incident)),
    )
    .sort(
      (a, b) =>
        rank(a.severity) - rank(b.severity) ||
        (instant(b.sent) ?? 0) - (instant(a.sent) ?? 0),
    );
}

export function quakes(alerts: readonly Alert[]): Alert[] {
  return alerts
    .filter((a) => a.quake)
    .sort((a, b) => originOf(b) - originOf(a));
}

export function originOf(alert: Alert): number {
  return instant(alert.quake?.origin_at) ?? instant(alert.sent) ?? 0;
}

/** Weather: CAP's category Met from an agency. */
export function weather(alerts: readonly Alert[]): Alert[] {
  return alerts.filter((a) => a.category === "Met" && !a.rule);
}
