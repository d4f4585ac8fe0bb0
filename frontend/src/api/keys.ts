// /api/v1/keys: what senders and machines show us to be known. A key's secret is said once, when it is made.
import { call, type Answer } from "./call";
import { count, doc, docs, text, texts, word } from "./read";

export const SCOPES = ["ingest", "read", "metrics", "automation"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Key {
  id: string;
  name: string;
  /** Of scope ingest: the one feed whose bytes it brings; else empty. */
  feed: string;
  /** Slug: it brings only what is this agency's; empty: any. */
  agency: string;
  scope: Scope;
  /** Addresses from which it may be shown; none: from anywhere. */
  ranges: string[];
  /** Deliveries a minute; 0: as many as come. */
  rate: number;
  by: string;
  at: string | null;
  /** null: it has no end. */
  until: string | null;
  /** Id of the key that this one was made for by rotation; empty: none. */
  replaces: string;
  /** Id of the next key: this one lives until its end. */
  replacedBy: string;
  /** To the minute. */
  usedAt: string | null;
  usedFrom: string;
  /** How often in the last 24 h. */
  uses: number;
  /** What somebody should look at: never_used, idle, old, expires_soon, expired. */
  marks: string[];
  revokedAt: string | null;
}

export interface MadeKey extends Key {
  token: string;
}

export interface KeyDraft {
  name: string;
  feed: string;
  scope: Scope;
  agency: string;
  ranges: string[];
  rate: number;
  /** Empty: it has no end. */
  until: string;
}

export function readKey(value: unknown): Key {
  const d = doc(value);
  return {
    id: text(d["id"]),
    name: text(d["name"]),
    feed: text(d["feed"]),
    agency: text(d["agency"]),
    scope: word(d["scope"], SCOPES),
    ranges: texts(d["ranges"]),
    rate: count(d["rate"]),
    by: text(d["created_by"]),
    at: text(d["created_at"]) || null,
    until: text(d["expires_at"]) || null,
    replaces: text(d["replaces"]),
    replacedBy: text(d["replaced_by"]),
    usedAt: text(d["last_used_at"]) || null,
    usedFrom: text(d["last_used_from"]),
    uses: count(d["uses_24h"]),
    marks: texts(d["marks"]),
    revokedAt: text(d["revoked_at"]) || null,
  };
}

const ROOT = "/api/v1/keys";

export async function fetchKeys(): Promise<Answer<Key[]>> {
  const answer = await call<unknown>("GET", ROOT);
  if (!answer.ok) return answer;
  return { ...answer, body: docs(doc(answer.body)["items"]).map(readKey) };
}

/** What brings readings may be bound to an agency and to a pace; the rest says neither. */
export const brings = (scope: Scope): boolean =>
  scope === "ingest" || scope === "automation";

function made(answer: Answer<unknown>): Answer<MadeKey> {
  if (!answer.ok) return answer;
  const token = text(doc(answer.body)["token"]);
  return { ...answer, body: { ...readKey(answer.body), token } };
}

export async function makeKey(draft: KeyDraft): Promise<Answer<MadeKey>> {
  const { name, feed, scope, agency, ranges, rate, until } = draft;
  return made(
    await call<unknown>("POST", ROOT, {
      name,
      scope,
      ...(scope === "ingest" && feed && { feed }),
      ...(brings(scope) && agency && { agency }),
      ...(brings(scope) && rate > 0 && { rate }),
      ...(ranges.length > 0 && { ranges }),
      ...(until && { expires_at: until }),
    }),
  );
}

/** How long the old key still opens what it opened. */
export const OVERLAPS = ["0s", "1h", "24h", "168h"] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** The next key with the same bounds. */
export const rotateKey = async (
  id: string,
  overlap: Overlap,
): Promise<Answer<MadeKey>> =>
  made(
    await call<unknown>("POST", `${ROOT}/${encodeURIComponent(id)}/rotate`, {
      overlap,
    }),
  );

export const revokeKey = (id: string): Promise<Answer<unknown>> =>
  call("DELETE", `${ROOT}/${encodeURIComponent(id)}`);
