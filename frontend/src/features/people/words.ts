// Why something about people was not done, factors, and ages of what is told once.
import type { Problem } from "../../api/call";
import { text } from "../../api/read";
import { longAge, number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import { faultWords } from "../feeds-admin/words";

const WHY: readonly (readonly [RegExp, () => string])[] = [
  [/show again who you are/, m.ppl_fault_elevate],
  [/login is taken/, m.ppl_fault_taken],
  [/login: want/, m.ppl_fault_login],
  [/last administrator/, m.ppl_fault_last],
  [/has changed since|account has changed/, m.ppl_fault_stale],
  [/may not approve it/, m.chg_fault_same],
  [/decided already/, m.chg_fault_decided],
  [/may withdraw it/, m.chg_fault_not_yours],
  [/must be the witness/, m.ppl_fault_witness],
  [/same person twice|not yourself|yourself/, m.ppl_fault_self],
  [/means nothing without one/, m.ppl_fault_agency],
  [/\.until.* is over/, m.ppl_fault_over],
  [/sealed account is sealed again/, m.ppl_fault_sealed],
  [/opened the envelope/, m.ppl_fault_envelope],
  [/no device shows this code/, m.dev_fault_code],
  [/too many wrong codes/, m.dev_fault_tries],
  [/gives no certificates/, m.dev_fault_ca],
  [/published to the broker/, m.dev_fault_feed],
  [/the name of a screen/, m.dev_fault_screen],
  [/agency\/call-sign|bound to a person or to a unit/, m.dev_fault_unit],
  [/it names the person/, m.prv_fault_names],
  [/may not be kept for that long|not kept for ever/, m.prv_fault_bounds],
  [/letters at least/, m.prv_fault_reason],
  [
    /no such report|nothing to erase|has no reporter|is no reporter/,
    m.prv_fault_nobody,
  ],
];

/** What the server says of it, wherever it says it. */
function said(problem: Problem): string {
  const errors = Array.isArray(problem["errors"]) ? problem["errors"] : [];
  const more = errors.map((e: unknown) => {
    const { location, message } = (e ?? {}) as Record<string, unknown>;
    return `${text(location)}: ${text(message)}`;
  });
  return [text(problem.title), text(problem.detail), ...more].join(" ");
}

/** The reason in the reader's language where it is one that we know. */
export function whyNot(status: number, problem: Problem): string {
  const told = said(problem);
  const known = WHY.find(([sign]) => sign.test(told));
  return known ? known[1]() : faultWords(status, problem);
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
