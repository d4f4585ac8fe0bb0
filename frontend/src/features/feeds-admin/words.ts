// Words that several panels of the page say.
import { m } from "../../i18n/paraglide/messages.js";
import { age, fixed, number } from "../../i18n/format";
import type { FeedRow } from "../../api/feeds";
import type { Problem } from "../../api/call";
import { isDoc, text } from "../../api/read";
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

/** Why something was not done, in the reader's language, with what the server says of it. */
export function faultWords(status: number, problem: Problem): string {
  const said = text(problem.detail) || text(problem.title);
  const words =
    status === 0
      ? m.adm_fault_unreachable()
      : status === 403
        ? m.adm_fault_forbidden()
        : status === 404
          ? m.adm_fault_missing()
          : status === 503
            ? m.desk_fault_busy()
            : status === 409
              ? m.adm_fault_conflict()
              : m.adm_fault_failed();
  // What the server adds to these says no more than the words do.
  const whole = [403, 404, 503].includes(status) || isDoc(problem["current"]);
  return said === "" || whole ? words : `${words} ${said}`;
}

/** Why something could not be read, in the reader's language: nobody meant to record anything by it. */
export function unreadWords(status: number, problem: Problem): string {
  if (status === 0) return m.desk_fault_unreachable_read();
  if (status === 503) return m.adm_fault_unread_busy();
  if ([403, 404].includes(status)) return faultWords(status, problem);
  return [m.adm_fault_unread(), text(problem.detail) || text(problem.title)]
    .filter(Boolean)
    .join(" ");
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
