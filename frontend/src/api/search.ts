// GET /api/v1/search: incidents, areas and Things in one box.
import type { IncidentStatus, Severity } from "../wire/wire";
import { call, query } from "./call";

export interface Hit {
  noun: "incident" | "area" | "thing";
  id: string;
  name: string;
  /** Of an incident. */
  number?: string;
  /** A Thing's or an area's kind, an incident's type. */
  kind: string;
  status?: IncidentStatus;
  severity?: Severity;
  area_name?: string;
  lng: number | null;
  lat: number | null;
  /** Of an area: west, south, east, north. */
  bbox?: [number, number, number, number];
  simulated: boolean;
}

export interface Found {
  items: Hit[];
  /** False: there was no time to look at every Thing. */
  complete: boolean;
}

/** null where nobody answers. */
export async function search(text: string): Promise<Found | null> {
  const answer = await call<Found>(
    "GET",
    `/api/v1/search${query({ q: text.slice(0, 100), limit: 8 })}`,
  );
  return answer.ok ? answer.body : null;
}
