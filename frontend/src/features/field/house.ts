// What a phone asks the house for: who rides here, what it was sent to, and the words to say it with.
import { call, query, type Answer } from "../../api/call";
import { fetchIncident, fetchTypes } from "../../api/incidents";
import type { IncidentType, Known } from "../../api/incidents";
import { doc, docs, text } from "../../api/read";
import type { Dispatch, Unit } from "../../wire/wire";
import type { Fix } from "./position";

interface List<T> {
  items: T[];
}

/** Of the profile only what a phone shows: its areas are heavier than everything else here together. */
export interface Place {
  zone: string;
  /** Telephone numbers by agency. */
  hotlines: Record<string, string>;
  types: IncidentType[];
  readAt: number;
}

/** Units of which this person may report: of a crew its own, of a dispatcher all. */
export const fetchUnits = (): Promise<Answer<List<Unit>>> =>
  call("GET", "/api/v1/units");

/** What a unit was sent to, the last first. */
export const fetchSent = (unit: string): Promise<Answer<List<Dispatch>>> =>
  call("GET", `/api/v1/dispatches${query({ unit, limit: 20 })}`);

/** How far an order has come (N9): to this phone, or before somebody's eyes. What fails is said again another time. */
export const tellReceipt = (
  dispatch: string,
  step: "delivered" | "seen",
  at: string,
): Promise<Answer<unknown>> =>
  call("POST", `/api/v1/dispatches/${encodeURIComponent(dispatch)}/receipt`, {
    step,
    at,
  });

/** Where a unit is or was; `at` by the house's clock, milliseconds since 1970. */
export const tellPlace = (
  unit: string,
  { lng, lat, accuracy }: Fix,
  at: number,
): Promise<Answer<unknown>> =>
  call(
    "POST",
    `/api/v1/units/${unit.split("/").map(encodeURIComponent).join("/")}/position`,
    { lng, lat, accuracy_m: accuracy, at: new Date(at).toISOString() },
  );

/** null where it is not to be seen, or nobody answers. */
export async function fetchCase(id: string): Promise<Known | null> {
  const answer = await fetchIncident(id);
  return answer.ok ? answer.body : null;
}

/** null where nobody answers. */
export async function fetchPlace(now: number): Promise<Place | null> {
  const [profile, types] = await Promise.all([
    call<unknown>("GET", "/api/v1/profile", undefined, 30_000),
    fetchTypes(),
  ]);
  if (!profile.ok || !types) return null;
  const body = doc(profile.body);
  const agencies = docs(body["agencies"]);
  return {
    zone: text(body["time_zone"]),
    hotlines: Object.fromEntries(
      agencies.map((a) => [text(a["slug"]), text(a["hotline"])]),
    ),
    types,
    readAt: now,
  };
}
