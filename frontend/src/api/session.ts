// /api/v1/session: signing in step by step, sitting down at a desk, the house's answer to who sits here.
import { call, type Answer } from "./call";
import { doc, docs, list, text, texts } from "./read";

/** Who a session is for. `needs` is what must be done before anything else. */
export interface Identity {
  subject: string;
  name: string;
  role: string;
  roles: string[];
  agency: string;
  rights: string[];
  desk: string;
  lang: string;
  needs: string[];
  /** Until when who they are counts as just shown; empty: it does not. */
  elevated_until: string;
  /** When one of the recovery codes was used; empty: none since they were made. */
  recovery_used_at: string;
  /** Who sat at this screen until now; in the answer of a sign-in only. */
  switched: string;
}

/** Reads an identity; fields of an older or newer server break nothing. */
export function identityOf(value: unknown): Identity {
  const d = doc(value);
  return {
    subject: text(d["subject"]),
    name: text(d["name"]),
    role: text(d["role"]),
    roles: texts(d["roles"]),
    agency: text(d["agency"]),
    rights: texts(d["rights"]),
    desk: text(d["desk"]),
    lang: text(d["lang"]),
    needs: texts(d["needs"]),
    elevated_until: text(d["elevated_until"]),
    recovery_used_at: text(d["recovery_used_at"]),
    switched: text(d["switched"]),
  };
}

export type Factor = "passkey" | "totp" | "recovery";
export const FACTORS: readonly Factor[] = ["totp", "passkey", "recovery"];

export interface Provider {
  name: string;
  start: string;
  /** It does not answer now. */
  away: boolean;
}

/** What the sign-in page offers. */
export interface Ways {
  password: boolean;
  passkey: boolean;
  /** Why there are no passkeys at this address. */
  noPasskey: "" | "plain" | "address";
  oidc: Provider[];
  /** No administrator can sign in yet. */
  setup: boolean;
}

const ROOT = "/api/v1/session";

export async function fetchWays(): Promise<Answer<Ways>> {
  const answer = await call<unknown>("GET", `${ROOT}/ways`);
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  const why = text(d["no_passkey"]);
  return {
    ...answer,
    body: {
      password: d["password"] === true,
      passkey: d["passkey"] === true,
      noPasskey: why === "plain" || why === "address" ? why : "",
      oidc: docs(d["oidc"]).map((p) => ({
        name: text(p["name"]),
        start: text(p["start"]),
        away: p["away"] === true,
      })),
      setup: d["setup"] === true,
    },
  };
}

/** What a step of signing in came to: somebody is in, or their second factor is awaited. */
export type Entry =
  | { who: Identity; pending?: never }
  | { pending: string; factors: Factor[]; who?: never };

function entry(answer: Answer<unknown>): Answer<Entry> {
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  const pending = text(d["pending"]);
  if (pending === "")
    return { ...answer, body: { who: identityOf(answer.body) } };
  const factors = list(d["factors"]).filter((f): f is Factor =>
    FACTORS.some((known) => known === f),
  );
  return { ...answer, body: { pending, factors } };
}

const said = (fields: Record<string, string>) =>
  Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== ""));

/** Checking a password takes the server a moment, and others may be before it. */
const SLOW_MS = 20_000;

export const byPassword = async (
  login: string,
  password: string,
  change = false,
): Promise<Answer<Entry>> =>
  entry(
    await call(
      "POST",
      ROOT,
      { login, password, ...(change && { switch: true }) },
      SLOW_MS,
    ),
  );

export const byCode = async (code: string): Promise<Answer<Entry>> =>
  entry(await call("POST", ROOT, { code }));

export const byToken = async (token: string): Promise<Answer<Entry>> =>
  entry(
    await call("POST", ROOT, {}, SLOW_MS, { authorization: `Bearer ${token}` }),
  );

export const showSecond = async (
  pending: string,
  kind: "totp" | "recovery",
  code: string,
): Promise<Answer<Entry>> =>
  entry(await call("POST", `${ROOT}/second`, { pending, [kind]: code }));

/** By an invitation, or by a code that a witness made. */
export const redeem = async (
  code: string,
  password: string,
): Promise<Answer<Entry>> =>
  entry(await call("POST", `${ROOT}/reset`, { code, password }, SLOW_MS));

export const setPassword = (old: string, next: string) =>
  call<unknown>("POST", `${ROOT}/password`, said({ old, new: next }), SLOW_MS);

/** Shows again who one is; the answer carries a new cookie. */
export async function showAgain(
  kind: "password" | "totp" | "recovery",
  value: string,
): Promise<Answer<Entry>> {
  return entry(
    await call("POST", `${ROOT}/elevate`, { [kind]: value }, SLOW_MS),
  );
}

/** What a passkey is asked, as JSON of the house. */
export interface Challenge {
  ticket: string;
  publicKey: Record<string, unknown>;
}

function challenge(answer: Answer<unknown>): Answer<Challenge> {
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  // Some libraries wrap the options once more.
  const outer = doc(d["publicKey"]);
  const inner = doc(outer["publicKey"]);
  const publicKey = "challenge" in inner ? inner : outer;
  return { ...answer, body: { ticket: text(d["ticket"]), publicKey } };
}

export const beginPasskey = async (
  of: { pending?: string; elevate?: boolean } = {},
): Promise<Answer<Challenge>> =>
  challenge(await call("POST", `${ROOT}/passkey/begin`, of));

export const finishPasskey = async (
  ticket: string,
  credential: object,
  elevate = false,
): Promise<Answer<Entry>> =>
  entry(
    await call("POST", `${ROOT}/passkey/finish`, {
      ticket,
      credential,
      ...(elevate && { elevate }),
    }),
  );

export const beginRegister = async (): Promise<Answer<Challenge>> =>
  challenge(await call("POST", `${ROOT}/passkey/register/begin`, {}));

function codes(answer: Answer<unknown>): Answer<string[]> {
  return answer.ok
    ? { ...answer, body: texts(doc(answer.body)["codes"]) }
    : answer;
}

/** Answers with recovery codes where there were none. */
export const finishRegister = async (
  ticket: string,
  name: string,
  credential: object,
): Promise<Answer<string[]>> =>
  codes(
    await call("POST", `${ROOT}/passkey/register/finish`, {
      ticket,
      name,
      credential,
    }),
  );

export const beginTotp = () =>
  call<{ secret: string; uri: string }>("POST", `${ROOT}/totp`, {});

export const confirmTotp = async (code: string): Promise<Answer<string[]>> =>
  codes(await call("POST", `${ROOT}/totp`, { code }));

export const makeRecovery = async (): Promise<Answer<string[]>> =>
  codes(await call("POST", `${ROOT}/recovery`, {}));

/** Who is signed in at this screen. */
export async function fetchMe(): Promise<Answer<Identity>> {
  const answer = await call<unknown>("GET", ROOT);
  return answer.ok ? { ...answer, body: identityOf(answer.body) } : answer;
}

/** True where the server is there and says that nobody is signed in. */
export async function signedOut(): Promise<boolean> {
  const answer = await call("GET", ROOT);
  return !answer.ok && answer.status === 401;
}

export interface Desk {
  slug: string;
  staff: { subject: string; name: string }[];
}

export async function fetchDesks(): Promise<Answer<Desk[]>> {
  const answer = await call<unknown>("GET", "/api/v1/desks");
  if (!answer.ok) return answer;
  const body = docs(doc(answer.body)["items"]).map((d) => ({
    slug: text(d["slug"]),
    staff: docs(d["staff"]).map((s) => ({
      subject: text(s["subject"]),
      name: text(s["name"]),
    })),
  }));
  return { ...answer, body };
}

export async function takeDesk(desk: string): Promise<Answer<Entry>> {
  return entry(await call("PUT", `${ROOT}/desk`, { desk }));
}

/** Where to go after signing in: a path of ours, or the wall. Never another host. */
export function nextPath(
  search: string,
  origin: string,
  otherwise = "/wall",
): string {
  const asked = new URLSearchParams(search).get("next") ?? "";
  if (!asked.startsWith("/")) return otherwise;
  const url = new URL(asked, origin);
  return url.origin === origin
    ? url.pathname + url.search + url.hash
    : otherwise;
}
