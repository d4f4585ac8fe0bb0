// /api/v1/incidents: reading one whole, opening one, and the acts of its life.
import type { Incident, IncidentStatus, Severity } from "../wire/wire";
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
  /** With resolved. */
  outcome?: string;
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

export const openIncident = (draft: Draft): Promise<Answer<Known>> =>
  call("POST", ROOT, draft);
