// How old each feed's word is, against what is usual for it.
import type { FeedStatus } from "../../wire/wire";
import { instant } from "../../i18n/format";

export interface FeedAge {
  name: string;
  agency: string;
  /** Milliseconds since its last success; null where there was none. */
  ageMs: number | null;
  /** The usual interval in milliseconds; null where not known. */
  usualMs: number | null;
  /** Age by interval, 1 is usual; null where either is not known. */
  ratio: number | null;
  state: FeedStatus["state"];
  fresh: boolean;
  simulated: boolean;
  /** Deliveries that wait for a decision. */
  held: number;
  lastSuccess: number | null;
  /** The network between us and the producer does not answer. */
  unreachable: boolean;
}

/** The codes by which the server says that nobody answered at all: the word before the colon of a feed's reason. */
const NO_ANSWER = new Set(["dns", "network", "refused", "timeout"]);

/** The same bound as the server's: interval x 1.2 + 2 s (INTERFACES, section 2, Stale). */
export const staleAfterMs = (usualMs: number): number => usualMs * 1.2 + 2_000;

export function feedAge(feed: FeedStatus, now: number): FeedAge {
  const last = instant(feed.last_success);
  const ageMs = last === null ? null : Math.max(0, now - last);
  const usualMs = feed.interval_s > 0 ? feed.interval_s * 1_000 : null;
  const overdue =
    ageMs !== null && usualMs !== null && ageMs > staleAfterMs(usualMs);
  return {
    name: feed.name,
    agency: feed.agency,
    ageMs,
    usualMs,
    ratio: ageMs === null || usualMs === null ? null : ageMs / usualMs,
    state: feed.state,
    // Fresh must be proven: a feed that never spoke is not fresh, whatever it is called.
    fresh: feed.state === "ok" && ageMs !== null && !overdue,
    simulated: feed.simulated,
    held: feed.quarantined,
    lastSuccess: last,
    unreachable:
      feed.state === "failing" &&
      NO_ANSWER.has(feed.reason.split(":", 1)[0] ?? ""),
  };
}

/** By name, so that a row keeps its place; feeds that are switched off are left out. */
export function feedAges(feeds: readonly FeedStatus[], now: number): FeedAge[] {
  return feeds
    .filter((f) => f.state !== "off")
    .map((f) => feedAge(f, now))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The one to name in the footer: the worst of those that are not fresh. */
export function worstFeed(ages: readonly FeedAge[]): FeedAge | null {
  const weight = (f: FeedAge) =>
    (f.state === "failing" ? 1e6 : 0) + (f.ratio ?? 1e3);
  return (
    ages
      .filter((f) => !f.fresh)
      .sort((a, b) => weight(b) - weight(a))
      .at(0) ?? null
  );
}
