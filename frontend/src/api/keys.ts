// /api/v1/keys: what senders and machines show us to be known. A key's secret is said once, when it is made.
import { call, type Answer } from "./call";
import { doc, docs, text, word } from "./read";

export const SCOPES = ["ingest", "read", "metrics", "automation"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Key {
  id: string;
  name: string;
  /** Of scope ingest: the one feed whose bytes it brings; else empty. */
  feed: string;
  scope: Scope;
  by: string;
  at: string | null;
  /** To the minute. */
  usedAt: string | null;
  revokedAt: string | null;
}

export interface MadeKey extends Key {
  token: string;
}

export interface KeyDraft {
  name: string;
  feed: string;
  scope: Scope;
}

export function readKey(value: unknown): Key {
  const d = doc(value);
  return {
    id: text(d["id"]),
    name: text(d["name"]),
    feed: text(d["feed"]),
    scope: word(d["scope"], SCOPES),
    by: text(d["created_by"]),
    at: text(d["created_at"]) || null,
    usedAt: text(d["last_used_at"]) || null,
    revokedAt: text(d["revoked_at"]) || null,
  };
}

const ROOT = "/api/v1/keys";

export async function fetchKeys(): Promise<Answer<Key[]>> {
  const answer = await call<unknown>("GET", ROOT);
  if (!answer.ok) return answer;
  return { ...answer, body: docs(doc(answer.body)["items"]).map(readKey) };
}

export async function makeKey(draft: KeyDraft): Promise<Answer<MadeKey>> {
  const { name, feed, scope } = draft;
  const answer = await call<unknown>("POST", ROOT, {
    name,
    scope,
    ...(scope === "ingest" && { feed }),
  });
  if (!answer.ok) return answer;
  const token = text(doc(answer.body)["token"]);
  return { ...answer, body: { ...readKey(answer.body), token } };
}

export const revokeKey = (id: string): Promise<Answer<unknown>> =>
  call("DELETE", `${ROOT}/${encodeURIComponent(id)}`);
