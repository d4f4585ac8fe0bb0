// Why a step of signing in was refused, and in which words that is told: each says what to do now.
import type { Answer, Problem } from "../../api/call";
import { clockTime, number } from "../../i18n/format";
import { placesOf, problemWords } from "../../i18n/problem.svelte";
import { m } from "../../i18n/paraglide/messages.js";

export type Fault =
  /** Nobody answered. */
  | { kind: "unreachable" }
  /** What was shown is not right; where it was. */
  | { kind: "wrong"; what: "password" | "code" | "recovery" | "link" | "reset" }
  | { kind: "used" }
  /** What a second factor was awaited for has lapsed. */
  | { kind: "gone" }
  /** Until when nothing is judged; milliseconds since 1970. */
  | { kind: "wait"; until: number; long: boolean }
  | { kind: "store" }
  | { kind: "busy" }
  | {
      kind: "weak";
      why: "short" | "long" | "same" | "common" | "name" | "text";
    }
  | { kind: "empty"; what: "login" | "code" | "credential" | "password" }
  | { kind: "foreign" }
  | { kind: "forbidden" }
  | { kind: "last" }
  | { kind: "passkey"; why: PasskeyFault }
  | { kind: "provider"; why: ProviderFault }
  | { kind: "odd"; status: number; problem: Problem };

export type PasskeyFault =
  "cancelled" | "unknown" | "absent" | "there" | "address" | "plain" | "failed";

const PROVIDER = [
  "away",
  "flight",
  "refused",
  "no_role",
  "disabled",
  "busy",
] as const;
export type ProviderFault = (typeof PROVIDER)[number];

/** `?error=oidc_away` of the way back from a provider. */
export function providerFault(search: string): Fault | null {
  const error = new URLSearchParams(search).get("error") ?? "";
  const why = PROVIDER.find((p) => error === `oidc_${p}`);
  return why ? { kind: "provider", why } : null;
}

/** Longer than this is a lock, not a pause. */
const LONG_S = 60;

type Refused = Extract<Answer<unknown>, { ok: false }>;

const WEAK: Record<string, Extract<Fault, { kind: "weak" }>["why"]> = {
  short: "short",
  long: "long",
  same: "same",
  common: "common",
  name: "name",
};

/** Reads an answer; `what` is what was shown. `now`: milliseconds since 1970. */
export function faultOf(
  answer: Refused,
  what: "password" | "code" | "recovery" | "link" | "reset" | "passkey",
  now: number,
): Fault {
  const { status, problem, wait } = answer;
  if (status === 0) return { kind: "unreachable" };
  switch (problem.code) {
    case "factor-used":
      return { kind: "used" };
    case "foreign-page":
      return { kind: "foreign" };
    case "last-factor":
      return { kind: "last" };
    case "passkey-plain":
      return { kind: "passkey", why: "plain" };
    case "passkey-address":
      return { kind: "passkey", why: "address" };
    case "weak-password": {
      const [place] = placesOf(problem);
      return { kind: "weak", why: WEAK[place?.code ?? ""] ?? "text" };
    }
    case "sign-ins-busy":
      return { kind: "busy" };
  }
  if (status === 401) {
    if (what === "passkey") return { kind: "passkey", why: "unknown" };
    if (what !== "code" && what !== "recovery") return { kind: "wrong", what };
    return problem.code === "factor-wrong"
      ? { kind: "wrong", what }
      : { kind: "gone" };
  }
  if (status === 403) return { kind: "forbidden" };
  if (status === 429)
    return {
      kind: "wait",
      until: now + (wait ?? LONG_S) * 1_000,
      long: (wait ?? 0) > LONG_S,
    };
  return status >= 500 ? { kind: "store" } : { kind: "odd", status, problem };
}

const WRONG = {
  password: m.who_wrong_password,
  code: m.who_wrong_code,
  recovery: m.who_wrong_recovery,
  link: m.login_refused,
  reset: m.who_wrong_reset,
};

const WEAKNESS = {
  short: m.who_weak_short,
  long: m.who_weak_long,
  same: m.who_weak_same,
  common: m.who_weak_common,
  name: m.who_weak_name,
  text: m.who_weak_text,
};

const KEY = {
  cancelled: m.who_key_cancelled,
  unknown: m.who_key_unknown,
  absent: m.who_key_absent,
  there: m.who_key_there,
  address: m.who_key_address,
  plain: m.who_key_plain,
  failed: m.who_key_failed,
};

const AT_PROVIDER = {
  away: m.who_oidc_away,
  flight: m.who_oidc_flight,
  refused: m.who_oidc_refused,
  no_role: m.who_oidc_no_role,
  disabled: m.who_oidc_disabled,
  busy: m.who_oidc_busy,
};

const EMPTY = {
  login: m.who_empty_login,
  code: m.who_empty_code,
  credential: m.login_empty,
  password: m.who_empty_password,
};

const zoneHere = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The fault in the language of the screen; `now` lets a pause be counted down. */
export function faultWords(fault: Fault, now: number): string {
  switch (fault.kind) {
    case "unreachable":
      return m.login_unreachable();
    case "wrong":
      return WRONG[fault.what]();
    case "used":
      return m.who_used();
    case "gone":
      return m.who_gone();
    case "wait": {
      const left = Math.max(0, Math.ceil((fault.until - now) / 1_000));
      if (left === 0) return m.who_wait_over();
      return fault.long
        ? m.who_locked({ time: clockTime(fault.until, zoneHere()) })
        : m.who_wait({ seconds: number(left, 0) });
    }
    case "store":
      return m.who_store();
    case "busy":
      return m.login_busy();
    case "weak":
      return WEAKNESS[fault.why]();
    case "empty":
      return EMPTY[fault.what]();
    case "foreign":
      return m.who_foreign();
    case "forbidden":
      return m.who_forbidden();
    case "last":
      return m.who_last();
    case "passkey":
      return KEY[fault.why]();
    case "provider":
      return AT_PROVIDER[fault.why]();
    case "odd":
      return m.who_odd({
        detail: problemWords(fault.status, fault.problem),
      });
  }
}
