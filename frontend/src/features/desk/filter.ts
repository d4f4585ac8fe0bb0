// Which incidents the list shows, and in which order.
import type { Incident, IncidentStatus, Severity } from "../../wire/wire";
import { shortNumber, worstFirst } from "../incidents/rank";
import { distanceM, type Point } from "./coordinates";

export interface Filters {
  status: "open" | IncidentStatus;
  severity: "" | Severity;
  type: string;
  area: string;
  kind: "" | "real" | "simulated";
  mine: boolean;
  text: string;
}

export const NO_FILTERS: Filters = {
  status: "open",
  severity: "",
  type: "",
  area: "",
  kind: "",
  mine: false,
  text: "",
};

/** How many of the filters hide something. */
export function active(f: Filters): number {
  return (Object.keys(NO_FILTERS) as (keyof Filters)[]).filter(
    (k) => f[k] !== NO_FILTERS[k],
  ).length;
}

/** What is over is not in the live picture: the house is asked for it. */
export const past = (
  status: Filters["status"],
): status is "closed" | "cancelled" =>
  status === "closed" || status === "cancelled";

export function shown(
  incidents: readonly Incident[],
  f: Filters,
  me: string,
): Incident[] {
  const wanted = f.text.trim().toLowerCase();
  return worstFirst(
    incidents.filter(
      (i) =>
        (f.status === "open" || i.status === f.status) &&
        (f.severity === "" || i.severity === f.severity) &&
        (f.type === "" || i.type === f.type) &&
        (f.area === "" || i.area_name === f.area) &&
        (f.kind === "" || i.simulated === (f.kind === "simulated")) &&
        (!f.mine || (me !== "" && i.owner === me)) &&
        (wanted === "" || holds(i, wanted)),
    ),
  );
}

function holds(i: Incident, wanted: string): boolean {
  return (
    shortNumber(i.number) === wanted ||
    [i.number, i.title, i.area_name, i.type].some((t) =>
      t.toLowerCase().includes(wanted),
    )
  );
}

/** Reports of one event come from places near each other (domain, section 4): what a person should look at before opening another. */
export const DUPLICATE_M = 1_500;

export interface Near {
  incident: Incident;
  metres: number;
}

/** Open incidents of the type near the place, the nearest first. */
export function duplicates(
  incidents: readonly Incident[],
  type: string,
  place: Point | null,
): Near[] {
  if (!place || type === "") return [];
  return incidents
    .flatMap((incident) =>
      incident.type === type && incident.location
        ? [{ incident, metres: distanceM(place, incident.location) }]
        : [],
    )
    .filter((n) => n.metres <= DUPLICATE_M)
    .sort((a, b) => a.metres - b.metres);
}
