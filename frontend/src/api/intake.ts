// What a call taker does: /api/v1/reports, its hints and its triage, and the calls that the exchange tells of.
import type { Call, JoinReason, Report, ReportJudgement } from "../wire/wire";
import { call, type Answer } from "./call";
import type { Known } from "./incidents";

/** What an account may be of, the likeliest first. */
export interface Hint {
  kind: "incident" | "report";
  id: string;
  number?: string;
  title: string;
  type: string;
  status: string;
  area_name: string;
  /** Metres; null: one of the two has no place. */
  distance_m: number | null;
  age_s: number;
  weight: number;
  reasons: JoinReason[];
}

export interface Told {
  channel: string;
  text: string;
  type?: string;
  lng?: number;
  lat?: number;
  address?: string;
  reporter?: { phone: string };
}

export interface Judgement {
  as: ReportJudgement;
  incident?: string;
  type?: string;
  note?: string;
}

export interface Triaged {
  report: Report;
  incident?: Known;
}

const ROOT = "/api/v1/reports";
const at = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

/** The same key enters the same report, however often it is sent. */
export const enter = (told: Told, key: string): Promise<Answer<Report>> =>
  call("POST", ROOT, told, undefined, { "idempotency-key": key });

export const triage = (
  id: string,
  judgement: Judgement,
): Promise<Answer<Triaged>> => call("POST", `${at(id)}/triage`, judgement);

export const untriage = (id: string): Promise<Answer<Triaged>> =>
  call("POST", `${at(id)}/triage/undo`, {});

/** Of a report that is kept, or of what is being taken down; null where nobody answers. */
export async function hintsOf(
  of: string | { text: string; type: string; lng?: number; lat?: number },
): Promise<Hint[] | null> {
  const answer = await (typeof of === "string"
    ? call<{ items: Hint[] }>("GET", `${at(of)}/hints`)
    : call<{ items: Hint[] }>("POST", `${ROOT}/hints`, of));
  return answer.ok ? answer.body.items : null;
}

/** Calls of the last quarter of an hour, the newest first. */
export async function fetchCalls(): Promise<Call[] | null> {
  const answer = await call<{ items: Call[] }>("GET", "/api/v1/cti");
  return answer.ok ? answer.body.items : null;
}

export const takeCall = (
  id: string,
): Promise<Answer<{ call: Call; caller: string }>> =>
  call("POST", `/api/v1/cti/${encodeURIComponent(id)}/take`, {});
