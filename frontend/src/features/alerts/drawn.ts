// Alerts as the map draws them: epicentres of a day, areas in force. Colour only where an alert concerns this place and the picture lives.
import { fixed } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import type { AlertArea } from "../../map/layers/alerts";
import type { QuakeMark } from "../../map/layers/quakes";
import type { Alert, Severity } from "../../wire/wire";
import { rank } from "../incidents/rank";
import { inForce, originOf, quakes } from "./pick";

const COLOUR: Record<Severity, string> = {
  Extreme: "#E5243B",
  Severe: "#E69F00",
  Moderate: "#F0E442",
  Minor: "#C9D2DB",
  Unknown: "#C9D2DB",
};
const colourOf = (severity: Severity): string =>
  COLOUR[severity in COLOUR ? severity : "Unknown"];
const DAY_MS = 86_400_000;

/** `since` words the age of an instant. */
export function quakesDrawn(
  alerts: readonly Alert[],
  now: number,
  lost: boolean,
  since: (at: number) => string,
): QuakeMark[] {
  return quakes(alerts)
    .filter((a) => now - originOf(a) < DAY_MS)
    .flatMap((a) => {
      if (!a.quake) return [];
      const { lng, lat, magnitude } = a.quake;
      const figure =
        magnitude === null
          ? "M ?"
          : m.quake_label({ magnitude: fixed(magnitude, 1) });
      const colour = colourOf(lost || !a.relevant ? "Minor" : a.severity);
      const label = `${figure}\n${since(originOf(a))}`;
      return [{ lng, lat, magnitude, label, colour }];
    });
}

/** The worst on top. */
export function areasDrawn(
  alerts: readonly Alert[],
  now: number,
  lost: boolean,
): AlertArea[] {
  return alerts
    .filter((a) => !a.quake && a.relevant && inForce(a, now))
    .sort((a, b) => rank(b.severity) - rank(a.severity))
    .flatMap((a) => {
      const { geometry } = a.area;
      const colour = colourOf(lost ? "Minor" : a.severity);
      return geometry ? [{ geometry, colour }] : [];
    });
}
