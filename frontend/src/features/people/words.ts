// Why something about people was not done, factors, and ages of what is told once.
import type { Problem } from "../../api/call";
import { longAge, number } from "../../i18n/format";
import { placesOf } from "../../i18n/problem.svelte";
import { m } from "../../i18n/paraglide/messages.js";
import { faultWords } from "../feeds-admin/words";

/** What a place says about itself better than any words about places in general. */
const PLACE: Record<string, (code: string) => (() => string) | undefined> = {
  login: (code) => (code === "wrong" ? m.ppl_fault_login : undefined),
  "grants.agency": () => m.ppl_fault_agency,
  "grants.until": () => m.ppl_fault_over,
  feed: () => m.dev_fault_feed,
  screen: () => m.dev_fault_screen,
  unit: () => m.dev_fault_unit,
  reason: (code) =>
    code === "names"
      ? m.prv_fault_names
      : code === "short"
        ? m.prv_fault_reason
        : undefined,
};

/** The reason in the reader's language. */
export function whyNot(status: number, problem: Problem): string {
  const own = placesOf(problem).map(({ path, code }) => PLACE[path]?.(code));
  const [first] = own;
  return first && own.length === 1 ? first() : faultWords(status, problem);
}

const FACTOR: Record<string, () => string> = {
  passkey: m.ppl_factor_passkey,
  totp: m.ppl_factor_totp,
  recovery: m.ppl_factor_recovery,
};
export const factorWord = (factor: string): string =>
  FACTOR[factor]?.() ?? factor;

const HOUR_MS = 3_600_000;

/** What is left of a term that a rule sets in hours ("72 jam"): whole hours up to four days, since "2 hr" hides almost a day. */
export const termAge = (ms: number): string =>
  ms >= 24 * HOUR_MS && ms < 96 * HOUR_MS
    ? `${number(Math.floor(ms / HOUR_MS), 0)} ${m.unit_hour()}`
    : longAge(ms);

/** Until something ends: "2 jam 5 mnt lagi"; past: that it is over. */
export const leftWords = (until: number, now: number): string =>
  until <= now ? m.ppl_over() : m.ppl_left({ age: longAge(until - now) });

/** "Chrome di Windows" out of what a browser calls itself; what is not known is shown cut. */
export function browserWord(agent: string): string {
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrome\//.test(agent)
        ? "Chrome"
        : /Safari\//.test(agent)
          ? "Safari"
          : "";
  const system =
    /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0] ?? "";
  if (browser === "") return agent.slice(0, 40);
  const on = system === "Mac OS X" ? "macOS" : system;
  return on ? m.ppl_browser_on({ browser, system: on }) : browser;
}

/** A login that says itself in the name: "Rina Putri" is rina.putri. */
export const loginFrom = (name: string): string =>
  name
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, "")
    .trim()
    .split(/ +/)
    .slice(0, 2)
    .join(".");
