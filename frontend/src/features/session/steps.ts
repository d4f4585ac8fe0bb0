// The steps of signing in as a pure machine: what somebody sees next, given what the house has answered.
import type { Factor, Identity } from "../../api/session";

/** The server's own bounds of a second factor that is awaited. */
export const PENDING_MS = 5 * 60_000;
export const PENDING_TRIES = 5;

export type Step =
  | { at: "enter" }
  | {
      at: "second";
      pending: string;
      factors: readonly Factor[];
      /** Which of them is asked for now. */
      kind: Factor;
      /** Milliseconds since 1970. */
      until: number;
      left: number;
    }
  | { at: "redeem"; code: string }
  | { at: "password" }
  | { at: "enrol" }
  | { at: "codes"; codes: readonly string[] }
  | { at: "desk" }
  | { at: "wall" }
  | { at: "done" };

export interface Signing {
  step: Step;
  /** Who is in; null while nobody is. */
  who: Identity | null;
  /** Why it begins anew: the second factor came too late, or was wrong too often. */
  lapsed: "" | "late" | "tries";
  /** A desk has been chosen, or was declined. */
  seated: boolean;
}

export type Said =
  | {
      is: "pending";
      pending: string;
      factors: readonly Factor[];
      now: number;
    }
  | { is: "in"; who: Identity }
  | { is: "codes"; codes: readonly string[]; who: Identity }
  | { is: "saved" }
  | { is: "seated"; who: Identity }
  | { is: "wrong" }
  | { is: "gone" }
  | { is: "clock"; now: number }
  | { is: "kind"; kind: Factor }
  | { is: "redeem"; code: string }
  | { is: "wall" }
  | { is: "back" };

/** `seated`: no desk is asked for, because the screen has its own. */
export const begin = (seated = false): Signing => ({
  step: { at: "enter" },
  who: null,
  lapsed: "",
  seated,
});

/** Whoever came by the house's own first link has no account, and so sits at no desk. */
const HOUSE = "user:admin";

/** What is asked of somebody who is in: what the house needs first, then a desk. */
function after(who: Identity, seated: boolean): Step {
  if (who.needs.includes("password")) return { at: "password" };
  if (who.needs.length > 0) return { at: "enrol" };
  const sits = who.rights.includes("desk.staff") && who.subject !== HOUSE;
  return sits && who.desk === "" && !seated ? { at: "desk" } : { at: "done" };
}

/** A passkey is the least work, a recovery code the last resort. */
function first(factors: readonly Factor[]): Factor {
  return factors.includes("totp") ? "totp" : (factors[0] ?? "totp");
}

export function take(state: Signing, said: Said): Signing {
  const { step, seated } = state;
  const fresh = begin(seated);
  switch (said.is) {
    case "pending":
      return {
        ...fresh,
        step: {
          at: "second",
          pending: said.pending,
          factors: said.factors,
          kind: first(said.factors),
          until: said.now + PENDING_MS,
          left: PENDING_TRIES,
        },
      };
    case "in":
      return { ...fresh, who: said.who, step: after(said.who, seated) };
    case "codes":
      return said.codes.length === 0
        ? { ...fresh, who: said.who, step: after(said.who, seated) }
        : {
            ...fresh,
            who: said.who,
            step: { at: "codes", codes: said.codes },
          };
    case "saved":
      return step.at === "codes" && state.who
        ? { ...state, step: after(state.who, seated) }
        : state;
    case "seated":
      return { ...state, who: said.who, seated: true, step: { at: "done" } };
    case "wrong": {
      if (step.at !== "second") return state;
      const left = step.left - 1;
      return left > 0
        ? { ...state, step: { ...step, left } }
        : { ...fresh, lapsed: "tries" };
    }
    case "gone":
      return step.at === "second" ? { ...fresh, lapsed: "late" } : state;
    case "clock":
      return step.at === "second" && said.now >= step.until
        ? { ...fresh, lapsed: "late" }
        : state;
    case "kind":
      return step.at === "second" && step.factors.includes(said.kind)
        ? { ...state, step: { ...step, kind: said.kind } }
        : state;
    case "redeem":
      return { ...fresh, step: { at: "redeem", code: said.code } };
    case "wall":
      return { ...fresh, step: { at: "wall" } };
    case "back":
      // Whoever is in already goes on; going back would leave the session without its owner's notice.
      return state.who ? state : fresh;
  }
}

/** Six digits as people paste them: "123 456". Anything else gives what of it is digits. */
export const digits = (text: string): string =>
  text.replace(/\D/g, "").slice(0, 6);

/** A secret in groups of four, to be typed from the screen into a phone. */
export const groups = (secret: string): string =>
  secret.replace(/(.{4})(?=.)/g, "$1 ");

/** What a provider's way back hands over behind #, where no server is told. */
export function handed(
  hash: string,
): { pending: string; factors: Factor[] } | null {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const pending = values.get("pending") ?? "";
  if (pending === "") return null;
  const known: readonly Factor[] = ["totp", "passkey", "recovery"];
  const asked = (values.get("factors") ?? "").split(",");
  return { pending, factors: known.filter((f) => asked.includes(f)) };
}

/** Where somebody goes who asked for no page: who sits at a desk to the desk, who keeps the house to its pages, all others to the wall. */
export function landing(who: Identity | null): string {
  if (!who || who.subject === HOUSE) return "/wall";
  if (who.rights.includes("desk.staff")) return "/console";
  return who.rights.includes("feed.write") ? "/admin" : "/wall";
}
