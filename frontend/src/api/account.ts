// Somebody's own second factors and sessions, below /api/v1/session.
import { call, type Answer } from "./call";
import { count, doc, docs, text } from "./read";

export interface Passkey {
  id: string;
  name: string;
  site: string;
  created_at: string;
  used_at: string;
}

export interface Factors {
  required: boolean;
  /** When codes of an app were set up; empty: they are not. */
  totp: string;
  passkeys: Passkey[];
  left: number;
  /** There is one to show. */
  password: boolean;
  /** Where the provider asks again who sits here; null: they do not come in by one. */
  provider: { name: string; start: string } | null;
}

export interface OwnSession {
  id: string;
  started_at: string;
  seen_at: string;
  address: string;
  agent: string;
  desk: string;
  current: boolean;
}

const ROOT = "/api/v1/session";
const part = encodeURIComponent;

export async function fetchFactors(): Promise<Answer<Factors>> {
  const answer = await call<unknown>("GET", `${ROOT}/factors`);
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      required: d["required"] === true,
      totp: text(doc(d["totp"])["created_at"]),
      passkeys: docs(d["passkeys"]).map((p) => ({
        id: text(p["id"]),
        name: text(p["name"]),
        site: text(p["site"]),
        created_at: text(p["created_at"]),
        used_at: text(p["used_at"]),
      })),
      left: count(doc(d["recovery"])["left"]),
      // An older server does not say, and everybody had one.
      password: d["password"] !== false,
      provider: d["provider"]
        ? {
            name: text(doc(d["provider"])["name"]),
            start: text(doc(d["provider"])["start"]),
          }
        : null,
    },
  };
}

export const removeFactor = (kind: "totp" | "passkey", id: string) =>
  call<unknown>("DELETE", `${ROOT}/factors/${kind}/${part(id)}`);

export async function fetchSessions(): Promise<Answer<OwnSession[]>> {
  const answer = await call<unknown>("GET", `${ROOT}/list`);
  if (!answer.ok) return answer;
  const body = docs(doc(answer.body)["items"]).map((s) => ({
    id: text(s["id"]),
    started_at: text(s["started_at"]),
    seen_at: text(s["seen_at"]),
    address: text(s["address"]),
    agent: text(s["agent"]),
    desk: text(s["desk"]),
    current: s["current"] === true,
  }));
  return { ...answer, body };
}

export const endSession = (id: string) =>
  call<unknown>("DELETE", `${ROOT}/list/${part(id)}`);
