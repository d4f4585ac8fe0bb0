// /api/v1/users: accounts, the roles they hold and where, their sessions, and what opens an account once.
import type { Change } from "./changes";
import { changeOf } from "./changes";
import { call, type Answer } from "./call";
import type { IncidentType } from "./incidents";
import { count, doc, docs, list, text, texts, word, type Doc } from "./read";

export const ROLES = [
  "calltaker",
  "operator",
  "dispatcher",
  "supervisor",
  "liaison",
  "field",
  "leader",
  "pio",
  "admin",
  "auditor",
] as const;
export type Role = (typeof ROLES)[number];

/** A role, and where it holds: empty sets no bound. */
export interface Grant {
  role: string;
  agency: string;
  areas: string[];
  types: string[];
  /** Of help for a time; empty: it has no end. */
  until: string;
}

export interface Person {
  id: string;
  login: string;
  name: string;
  lang: string;
  grants: Grant[];
  /** By the groups of a provider: nobody changes them here. */
  provided: Grant[];
  unit: string;
  disabled: boolean;
  breakGlass: boolean;
  /** When the envelope was opened; null: it is sealed. */
  unsealedAt: string | null;
  password: boolean;
  factors: string[];
  external: string[];
  version: number;
  at: string | null;
  seenAt: string | null;
}

export interface Session {
  id: string;
  at: string | null;
  seenAt: string | null;
  address: string;
  agent: string;
  desk: string;
  how: string;
  factor: string;
  current: boolean;
}

/** An account with what opens it, told this once, and what of it waits for a second person. */
export interface Opened {
  person: Person;
  link: string;
  code: string;
  change: Change | null;
}

export function grantOf(d: Doc): Grant {
  return {
    role: text(d["role"]),
    agency: text(d["agency"]),
    areas: texts(d["areas"]),
    types: texts(d["types"]),
    until: text(d["until"]),
  };
}

export const grantsOf = (value: unknown): Grant[] => docs(value).map(grantOf);

export function personOf(value: unknown): Person {
  const d = doc(value);
  return {
    id: text(d["id"]),
    login: text(d["login"]),
    name: text(d["name"]),
    lang: text(d["lang"]),
    grants: grantsOf(d["grants"]),
    provided: grantsOf(d["provided"]),
    unit: text(d["unit"]),
    disabled: d["disabled"] === true,
    breakGlass: d["break_glass"] === true,
    unsealedAt: text(d["unsealed_at"]) || null,
    password: d["password"] === true,
    factors: texts(d["factors"]),
    external: texts(d["external"]),
    version: count(d["version"]),
    at: text(d["created_at"]) || null,
    seenAt: text(d["last_seen_at"]) || null,
  };
}

const sessionOf = (d: Doc): Session => ({
  id: text(d["id"]),
  at: text(d["started_at"]) || null,
  seenAt: text(d["seen_at"]) || null,
  address: text(d["address"]),
  agent: text(d["agent"]),
  desk: text(d["desk"]),
  how: text(d["how"]),
  factor: text(d["factor"]),
  current: d["current"] === true,
});

const ROOT = "/api/v1/users";
const at = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

/** Only what is said travels: an empty bound is none. */
const sent = (grants: readonly Grant[]) =>
  grants.map((g) => ({
    role: word(g.role, ROLES),
    ...(g.agency && { agency: g.agency }),
    ...(g.areas.length > 0 && { areas: g.areas }),
    ...(g.types.length > 0 && { types: g.types }),
    ...(g.until && { until: g.until }),
  }));

export async function fetchPeople(): Promise<Answer<Person[]>> {
  const answer = await call<unknown>("GET", ROOT);
  if (!answer.ok) return answer;
  return {
    ...answer,
    body: list(doc(answer.body)["items"]).map(personOf),
  };
}

/** Every type of incident that a grant may name, with the restricted ones. */
export async function fetchGrantable(): Promise<IncidentType[]> {
  const answer = await call<{ types?: IncidentType[] }>(
    "GET",
    "/api/v1/grants",
  );
  return answer.ok ? (answer.body.types ?? []) : [];
}

export interface PersonDraft {
  login: string;
  name: string;
  lang: string;
  grants: readonly Grant[];
  unit: string;
  breakGlass: boolean;
}

function opened(answer: Answer<unknown>): Answer<Opened> {
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      person: personOf(d["user"]),
      link: text(d["link"]),
      code: text(d["code"]),
      change: d["change"] ? changeOf(d["change"]) : null,
    },
  };
}

/** Hashing takes the server a moment, and others may be before it. */
const SLOW_MS = 20_000;

export async function makePerson(draft: PersonDraft): Promise<Answer<Opened>> {
  const { login, name, lang, grants, unit, breakGlass } = draft;
  const body = {
    login,
    name,
    grants: sent(grants),
    ...(lang && { lang }),
    ...(unit && { unit }),
    ...(breakGlass && { break_glass: true }),
  };
  return opened(await call<unknown>("POST", ROOT, body, SLOW_MS));
}

/** All roles as they shall be. The answer says whether a second person must agree. */
export async function changePerson(
  { id, version }: Person,
  to: { grants: readonly Grant[]; unit: string; name: string },
): Promise<Answer<Opened>> {
  const body = {
    version,
    name: to.name,
    unit: to.unit,
    grants: sent(to.grants),
  };
  return opened(await call<unknown>("PATCH", at(id), body));
}

export const disablePerson = (id: string) =>
  call<unknown>("POST", `${at(id)}/disable`);
export const enablePerson = (id: string) =>
  call<unknown>("POST", `${at(id)}/enable`);

export const invitePerson = async (id: string): Promise<Answer<Opened>> =>
  opened(await call<unknown>("POST", `${at(id)}/invite`));
export const sealPerson = async (id: string): Promise<Answer<Opened>> =>
  opened(await call<unknown>("POST", `${at(id)}/seal`, undefined, SLOW_MS));

export interface Reset {
  code: string;
  until: string | null;
}

/** As a witness: what lets somebody in again who stands here. */
export async function resetPerson(
  id: string,
  reason: string,
  dropFactors: boolean,
): Promise<Answer<Reset>> {
  const answer = await call<unknown>("POST", `${at(id)}/reset`, {
    reason,
    drop_factors: dropFactors,
  });
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: { code: text(d["code"]), until: text(d["expires_at"]) || null },
  };
}

export async function fetchSessionsOf(id: string): Promise<Answer<Session[]>> {
  const answer = await call<unknown>("GET", `${at(id)}/sessions`);
  if (!answer.ok) return answer;
  return { ...answer, body: docs(doc(answer.body)["items"]).map(sessionOf) };
}

export const endSessionOf = (id: string, session: string) =>
  call<unknown>("DELETE", `${at(id)}/sessions/${encodeURIComponent(session)}`);
export const endSessionsOf = (id: string) =>
  call<unknown>("DELETE", `${at(id)}/sessions`);
