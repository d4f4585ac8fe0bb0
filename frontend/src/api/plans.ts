// /api/v1/plans: announced works, events, closures of roads and maintenance of sensors.
import type { Geometry, Plan, PlanKind } from "../wire/wire";
import { call, type Answer } from "./call";

const ROOT = "/api/v1/plans";

/** All of a plan that a person says; also when it is edited. */
export interface PlanDraft {
  kind: PlanKind;
  title: string;
  note?: string;
  agency?: string;
  source?: string;
  area?: {
    type: "Feature";
    geometry: Geometry;
    properties: { name?: string };
  };
  things?: string[];
  feeds?: string[];
  types?: string[];
  rules?: string[];
  buffer_m?: number;
  holds: boolean;
  from: string;
  to: string;
}

export const announce = (draft: PlanDraft): Promise<Answer<Plan>> =>
  call("POST", ROOT, draft);

export const edit = (
  { id, version }: Plan,
  draft: PlanDraft,
): Promise<Answer<Plan>> =>
  call("PUT", `${ROOT}/${encodeURIComponent(id)}`, { ...draft, version });

export const cancel = (
  { id, version }: Plan,
  reason: string,
): Promise<Answer<Plan>> =>
  call("POST", `${ROOT}/${encodeURIComponent(id)}/cancel`, {
    version,
    ...(reason && { reason }),
  });
