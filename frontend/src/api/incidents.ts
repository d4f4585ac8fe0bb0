// /api/v1/incidents: reading one whole, opening one, and the acts of its life.
import type { Incident, IncidentStatus, Severity, Victims } from "../wire/wire";
import { call, query, type Answer } from "./call";

/** What may be asked of an incident; "reopened" is a verb that makes it acknowledged again. */
export type Verb = Exclude<IncidentStatus, "new"> | "reopened";

/** An incident with what whoever asked may ask of it now. */
export type Known = Incident & { allowed: Verb[] };

export interface Act {
  to: Verb;
  /** The version that was seen. */
  version: number;
  note?: string;
  /** With resolved; what a desk resolves on scene has all three. */
  outcome?: string;
  cause?: string;
  victims?: Victims;
  /** With closed: why less proof than is needed is enough. */
  override?: string;
  /** With cancelled and reopened. */
  reason?: string;
}

export interface Draft {
  type: string;
  title?: string;
  severity?: Severity;
  lng?: number;
  lat?: number;
  note?: string;
}

export interface IncidentType {
  code: string;
  id: string;
  en: string;
  lead: string;
  support: string[];
  severity: Severity;
  class: string;
  /** Only people who are named for it may see it. */
  restricted?: boolean;
}

interface List<T> {
  items: T[];
  next_page: string;
}

/** What resolving without a unit, and cancelling, may say (domain, section 5). */
export const OUTCOMES = ["advice_given", "no_unit_needed", "referred"] as const;
export const REASONS = [
  "false",
  "prank",
  "test",
  "out_of_area",
  "duplicate",
] as const;

const ROOT = "/api/v1/incidents";
const at = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

export const fetchIncident = (id: string): Promise<Answer<Known>> =>
  call("GET", at(id));

/** Those of one status, the newest first; for what is over and so not in the live picture. */
export async function fetchPast(
  status: "closed" | "cancelled",
): Promise<Incident[] | null> {
  const answer = await call<List<Incident>>(
    "GET",
    ROOT + query({ status, limit: 200 }),
  );
  return answer.ok ? answer.body.items : null;
}

export async function fetchTypes(): Promise<IncidentType[] | null> {
  const answer = await call<List<IncidentType>>(
    "GET",
    "/api/v1/incident-types",
  );
  return answer.ok ? answer.body.items : null;
}

export const act = (id: string, body: Act): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/transitions`, body);

/** How it shows that an incident is over; two kinds close it (domain, section 5). */
export const PROOFS = [
  "unit_in_cell",
  "photo",
  "sensor_normal",
  "reporter",
  "second_agency",
] as const;
export type ProofKind = (typeof PROOFS)[number];

/** Why work may rest; the clocks stand still for the first two alone. */
export const HOLDS = [
  "unsafe_access",
  "outside_party",
  "no_resources",
  "daylight",
  "other",
] as const;

/** Why work rests, and until when; nothing to hold: it goes on. */
export const hold = (
  { id, version }: Incident,
  rest: { reason: string; until: string; note: string } | null,
): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/hold`, { on: rest !== null, version, ...rest });

/** What may be decided of an incident that is watched. */
export const DECISIONS = [
  "watch",
  "field_check",
  "upgrade",
  "no_action",
] as const;

export const decide = (
  { id, version }: Incident,
  as: string,
  note: string,
): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/decision`, { as, note, version });

export const check = (
  { id }: Incident,
  key: string,
  done: boolean,
): Promise<Answer<Known>> => call("POST", `${at(id)}/checklist`, { key, done });

/** That it is over: by the reporter of a report that is evidence of it, or, without one, by the own supporting agency. */
export const confirmOver = (
  { id }: Incident,
  report: string,
): Promise<Answer<Known>> =>
  call("POST", `${at(id)}/confirm`, report === "" ? {} : { report });

/** A citizen's word that it is not. */
export const dispute = (
  { id }: Incident,
  text: string,
): Promise<Answer<Known>> => call("POST", `${at(id)}/dispute`, { text });

export interface Amendment {
  title?: string;
  type?: string;
  severity?: Severity;
  lng?: number;
  lat?: number;
}
export const amend = (
  { id, version }: Incident,
  change: Amendment,
): Promise<Answer<Known>> => call("PATCH", at(id), { ...change, version });

export const openIncident = (draft: Draft): Promise<Answer<Known>> =>
  call("POST", ROOT, draft);
