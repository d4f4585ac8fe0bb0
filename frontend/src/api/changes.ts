// /api/v1/changes: what one person has proposed and another must approve.
import { call, type Answer } from "./call";
import { doc, docs, text, texts, word, type Doc } from "./read";

export const STATES = [
  "waiting",
  "approved",
  "refused",
  "withdrawn",
  "expired",
  "failed",
] as const;
export type ChangeState = (typeof STATES)[number];

export interface Change {
  id: string;
  kind: string;
  summary: string;
  /** What it changes, as its kind writes it. */
  doc: Doc;
  about: string[];
  by: string;
  at: string | null;
  until: string | null;
  state: ChangeState;
  decidedBy: string;
  decidedAt: string | null;
  appliedAt: string | null;
  /** Applied without a second person: there were none. */
  alone: boolean;
  reason: string;
  /** Whoever looks has proposed it. */
  yours: boolean;
  /** Whoever looks may approve or refuse it. */
  decides: boolean;
}

export function changeOf(value: unknown): Change {
  const d = doc(value);
  return {
    id: text(d["id"]),
    kind: text(d["kind"]),
    summary: text(d["summary"]),
    doc: doc(d["doc"]),
    about: texts(d["about"]),
    by: text(d["proposed_by"]),
    at: text(d["proposed_at"]) || null,
    until: text(d["expires_at"]) || null,
    state: word(d["state"], STATES),
    decidedBy: text(d["decided_by"]),
    decidedAt: text(d["decided_at"]) || null,
    appliedAt: text(d["applied_at"]) || null,
    alone: d["alone"] === true,
    reason: text(d["reason"]),
    yours: d["yours"] === true,
    decides: d["decides"] === true,
  };
}

const ROOT = "/api/v1/changes";

export async function fetchChanges(): Promise<Answer<Change[]>> {
  const answer = await call<unknown>("GET", ROOT);
  if (!answer.ok) return answer;
  return { ...answer, body: docs(doc(answer.body)["items"]).map(changeOf) };
}

export type Deciding = "approve" | "refuse" | "withdraw";

export const decide = (
  id: string,
  how: Deciding,
  reason: string,
): Promise<Answer<unknown>> =>
  call(
    "POST",
    `${ROOT}/${encodeURIComponent(id)}/${how}`,
    how === "refuse" ? { reason } : undefined,
  );
