// Who is sent where: /api/v1/incidents/{id}/recommendations, its dispatches, and the acts on them.
import type { Dispatch, Unit } from "../wire/wire";
import { call, query, type Answer } from "./call";

export interface Reason {
  code: string;
  text_id: string;
  text_en: string;
}

export interface Candidate {
  unit: Unit;
  distance_m: number;
  travel_s: number;
  travel_source: "router" | "distance";
  capable: boolean;
  workload: number;
  reasons: Reason[];
}

/** The best first; and who is not proposed, with why. */
export interface Recommendation {
  items: Candidate[];
  not_proposed: { unit: string; reason: Reason }[];
}

/** What a crew does, or a dispatcher who hears it by radio; a recall is the dispatcher's own. */
export type Move =
  "accepted" | "declined" | "en_route" | "on_scene" | "done" | "cancelled";

const incident = (id: string) => `/api/v1/incidents/${encodeURIComponent(id)}`;

export const recommend = (id: string): Promise<Answer<Recommendation>> =>
  call("GET", `${incident(id)}/recommendations`);

export const sendUnit = (id: string, unit: string): Promise<Answer<Dispatch>> =>
  call("POST", `${incident(id)}/dispatches`, { unit });

/** The last offered first, also those that are over; null where nobody answers. */
export async function fetchDispatches(id: string): Promise<Dispatch[] | null> {
  const answer = await call<{ items: Dispatch[] }>(
    "GET",
    `/api/v1/dispatches${query({ incident: id, limit: 200 })}`,
  );
  return answer.ok ? answer.body.items : null;
}

export const moveDispatch = (
  { id, version }: Dispatch,
  to: Move,
  reason = "",
): Promise<Answer<Dispatch>> =>
  call("POST", `/api/v1/dispatches/${encodeURIComponent(id)}/transitions`, {
    to,
    version,
    ...(reason && { reason }),
  });
