// How long data are kept and who says so, and what may be proposed.
import type { Holding } from "../../api/privacy";
import { number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";

/** "90 hari"; hours below a day; for ever. */
export function keepWords({ says, keepDays }: Holding): string {
  if (says === "never") return m.prv_never();
  if (says === "lifetime") return m.prv_as_long();
  if (keepDays === 0) return m.prv_for_ever();
  if (keepDays < 1) return m.prv_hours({ count: number(keepDays * 24, 0) });
  if (keepDays >= 730 && keepDays % 365 === 0)
    return m.prv_years({ count: number(keepDays / 365, 0) });
  return m.prv_days({ count: number(keepDays, 1) });
}

export function saysWords({ says }: Holding): string {
  return says === "changed"
    ? m.prv_says_changed()
    : says === "config"
      ? m.prv_says_config()
      : "";
}

const MOST_DAYS = 36_500;

export type Unfit = "" | "number" | "short" | "ever";

/** What is wrong with a time that somebody types, in days; 0 is for ever. */
export function unfit(h: Holding, typed: string): Unfit {
  const n = Number(typed);
  if (typed.trim() === "" || !Number.isInteger(n) || n < 0 || n > MOST_DAYS)
    return "number";
  if (n === 0) return h.name === "reporters" ? "ever" : "";
  return n < h.leastDays ? "short" : "";
}

/** Letters that a reason has at the least; fewer say nothing. */
export const LEAST_REASON = 10;
export const saysWhy = (reason: string): boolean =>
  Array.from(reason.trim().replace(/\s+/g, " ")).length >= LEAST_REASON;
