// What a key is for, what binds it and what of it somebody should look at, in words.
import { m } from "../../i18n/paraglide/messages.js";
import type { Key, Overlap, Scope } from "../../api/keys";
import { number } from "../../i18n/format";

const WORD: Record<Scope, () => string> = {
  ingest: m.adm_scope_ingest,
  read: m.adm_scope_read,
  metrics: m.adm_scope_metrics,
  automation: m.adm_scope_automation,
};
const NOTE: Record<Scope, () => string> = {
  ingest: m.adm_scope_ingest_note,
  read: m.adm_scope_read_note,
  metrics: m.adm_scope_metrics_note,
  automation: m.adm_scope_automation_note,
};

export const scopeWord = (scope: Scope): string => WORD[scope]();
export const scopeNote = (scope: Scope): string => NOTE[scope]();

const MARK: Record<string, () => string> = {
  never_used: m.adm_key_mark_never,
  idle: m.adm_key_mark_idle,
  old: m.adm_key_mark_old,
  expires_soon: m.adm_key_mark_soon,
  expired: m.adm_key_mark_expired,
};
export const markWord = (mark: string): string => MARK[mark]?.() ?? mark;

const OVERLAP: Record<Overlap, () => string> = {
  "0s": m.adm_key_overlap_none,
  "1h": m.adm_key_overlap_hour,
  "24h": m.adm_key_overlap_day,
  "168h": m.adm_key_overlap_week,
};
export const overlapWord = (overlap: Overlap): string => OVERLAP[overlap]();

/** What binds a key, in few words; empty: nothing does. */
export const boundWords = (
  { agency, ranges, rate }: Pick<Key, "agency" | "ranges" | "rate">,
  agencyName: (slug: string) => string,
): string =>
  [
    agency ? m.adm_key_of({ name: agencyName(agency) }) : "",
    ranges.length > 0 ? m.adm_key_from({ ranges: ranges.join(", ") }) : "",
    rate > 0 ? m.adm_key_rate_is({ count: number(rate, 0) }) : "",
  ]
    .filter(Boolean)
    .join(" · ");

/** The address ranges that somebody types: by commas, spaces or lines. */
export const rangesOf = (typed: string): string[] =>
  typed.split(/[\s,;]+/).filter(Boolean);
