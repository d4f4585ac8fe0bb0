// The desk in an address: what is selected, filtered and looked at, so that a link shows another person the same.
import type { Box } from "../../map/geometry";
import type { IncidentStatus, Severity } from "../../wire/wire";
import { SEVERITIES } from "../incidents/rank";
import { NO_FILTERS, type Filters } from "./filter";

export interface Place {
  /** An incident's id. */
  incident: string | null;
  /** A Thing's id. */
  thing: string | null;
  filters: Filters;
  /** null: the whole area. */
  view: Box | null;
}

const STATUSES: readonly (IncidentStatus | "open")[] = [
  "open",
  "new",
  "acknowledged",
  "dispatched",
  "on_scene",
  "resolved",
  "closed",
  "cancelled",
];
const KINDS = ["real", "simulated"] as const;

function oneOf<T extends string>(
  value: string | null,
  known: readonly T[],
): T | null {
  return known.find((k) => k === value) ?? null;
}

/** Reads an address; what it does not know it leaves out. */
export function readPlace(search: string): Place {
  const q = new URLSearchParams(search);
  const text = (key: string) => (q.get(key) ?? "").slice(0, 100);
  return {
    incident: q.get("incident"),
    thing: q.get("thing"),
    filters: {
      status: oneOf(q.get("status"), STATUSES) ?? NO_FILTERS.status,
      severity: oneOf<Severity>(q.get("severity"), SEVERITIES) ?? "",
      type: text("type"),
      area: text("area"),
      kind: oneOf(q.get("kind"), KINDS) ?? "",
      mine: q.get("mine") === "1",
      text: text("q"),
    },
    view: readView(q.get("view")),
  };
}

function readView(text: string | null): Box | null {
  const v = (text ?? "").split(",").map(Number);
  const [w = 0, s = 0, e = 0, n = 0] = v;
  const good =
    v.length === 4 &&
    v.every(Number.isFinite) &&
    w < e &&
    s < n &&
    Math.abs(w) <= 180 &&
    Math.abs(e) <= 180 &&
    Math.abs(s) <= 90 &&
    Math.abs(n) <= 90;
  return good ? [w, s, e, n] : null;
}

/** The alarm that an address leads to, as a message on a telephone names it; empty: none. It is followed once, and does not stay in the address. */
export const alarmOf = (search: string): string =>
  (new URLSearchParams(search).get("alarm") ?? "").slice(0, 100);

/** The address of a place; parameters that are not the desk's own (language, motion) stay. */
export function writePlace(place: Place, search: string): string {
  const q = new URLSearchParams(search);
  q.delete("alarm");
  const f = place.filters;
  const values: Record<string, string> = {
    incident: place.incident ?? "",
    thing: place.thing ?? "",
    status: f.status === NO_FILTERS.status ? "" : f.status,
    severity: f.severity,
    type: f.type,
    area: f.area,
    kind: f.kind,
    mine: f.mine ? "1" : "",
    q: f.text,
    view: place.view ? place.view.map((v) => v.toFixed(4)).join(",") : "",
  };
  for (const [key, value] of Object.entries(values)) {
    if (value === "") q.delete(key);
    else q.set(key, value);
  }
  const text = q.toString();
  return text === "" ? "" : `?${text}`;
}
