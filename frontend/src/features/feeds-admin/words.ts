// Words that several panels of the page say.
import { m } from "../../i18n/paraglide/messages.js";
import { age, fixed, number } from "../../i18n/format";
import type { FeedRow } from "../../api/feeds";
import type { Problem } from "../../api/call";
import { problemWords, storeAway } from "../../i18n/problem.svelte";
import type { Line, Stand } from "./table";

const WORD: Record<Stand, () => string> = {
  failing: m.desk_feed_failing,
  late: m.desk_feed_late,
  waiting: m.desk_feed_waiting,
  ok: m.desk_feed_ok,
  off: m.desk_feed_off,
};
export const standWord = (stand: Stand): string => WORD[stand]();

const LETTER: Record<Stand, () => string> = {
  failing: m.adm_letter_failing,
  late: m.adm_letter_late,
  waiting: m.adm_letter_waiting,
  ok: m.adm_letter_ok,
  off: m.adm_letter_off,
};
export const standLetter = (stand: Stand): string => LETTER[stand]();

/** A span of milliseconds as short as it is true: "0,4 dtk", "53 dtk", "2 mnt". */
export function span(ms: number): string {
  if (ms < 1_000) return `${number(ms, 0)} ${m.unit_millisecond()}`;
  return ms < 10_000 ? `${fixed(ms / 1_000, 1)} ${m.unit_second()}` : age(ms);
}

/** "4,2 KB". */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${number(bytes, 0)} B`;
  return bytes < 1_000_000
    ? `${number(bytes / 1_000, 1)} KB`
    : `${number(bytes / 1_000_000, 1)} MB`;
}

/** Why something was not done, in the reader's language. */
export function faultWords(status: number, problem: Problem): string {
  if (status === 0) return m.adm_fault_unreachable();
  if (storeAway(status, problem)) return m.desk_fault_busy();
  const words = problemWords(status, problem);
  return whole(status) ? words : `${m.adm_fault_failed()} ${words}`;
}

/** Words of these say already that it was not done. */
const whole = (status: number) => [403, 404, 409, 503].includes(status);

/** Why something could not be read, in the reader's language: nobody meant to record anything by it. */
export function unreadWords(status: number, problem: Problem): string {
  if (status === 0) return m.desk_fault_unreachable_read();
  if (storeAway(status, problem)) return m.adm_fault_unread_busy();
  const words = problemWords(status, problem);
  return whole(status) ? words : `${m.adm_fault_unread()} ${words}`;
}

/** How old the data is when it comes. */
export const lagWords = (feed: FeedRow): string =>
  feed.items_per_minute <= 0
    ? m.adm_none()
    : feed.lag_ms === null
      ? m.adm_no_time()
      : span(feed.lag_ms);

export const usual = ({ usualMs }: Line): string =>
  usualMs === null ? m.adm_interval_unknown() : span(usualMs);
