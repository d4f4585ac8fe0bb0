// The feeds as a table: how each stands now, which are asked for, in which order.
import type { FeedRow } from "../../api/feeds";
import { feedAge } from "../feeds/health";

/** How a feed stands. Fresh must be proven: one that never spoke waits, and one whose word is old is late, whatever it is called. */
export type Stand = "failing" | "late" | "waiting" | "ok" | "off";

export const STANDS: readonly Stand[] = [
  "failing",
  "late",
  "waiting",
  "ok",
  "off",
];

export interface Line {
  feed: FeedRow;
  stand: Stand;
  /** Milliseconds since its last success; null: there was none. */
  ageMs: number | null;
  /** The usual interval, milliseconds; null: not known. */
  usualMs: number | null;
  /** When it last succeeded, milliseconds since 1970. */
  last: number | null;
}

export function lineOf(feed: FeedRow, now: number): Line {
  const { ageMs, usualMs, fresh, lastSuccess } = feedAge(feed, now);
  const stand: Stand =
    feed.state !== "ok" || fresh
      ? feed.state
      : ageMs === null
        ? "waiting"
        : "late";
  return { feed, stand, ageMs, usualMs, last: lastSuccess };
}

export const SORTS = [
  "worst",
  "name",
  "age",
  "lag",
  "rate",
  "rejects",
  "held",
] as const;
export type Sort = (typeof SORTS)[number];

const byName = (a: Line, b: Line) =>
  a.feed.name < b.feed.name ? -1 : a.feed.name > b.feed.name ? 1 : 0;

/** Later in the alphabet of trouble is better. What waits for a decision stands above what merely failed. */
function weight({ feed, stand }: Line): number {
  return (feed.quarantined > 0 ? 0 : 1) + STANDS.indexOf(stand) * 2;
}

const ORDER: Record<Sort, (a: Line, b: Line) => number> = {
  worst: (a, b) => weight(a) - weight(b),
  name: byName,
  age: (a, b) => (b.ageMs ?? Infinity) - (a.ageMs ?? Infinity) || 0,
  lag: (a, b) => (b.feed.lag_ms ?? -1) - (a.feed.lag_ms ?? -1),
  rate: (a, b) => b.feed.items_per_minute - a.feed.items_per_minute,
  rejects: (a, b) => b.feed.rejects - a.feed.rejects,
  held: (a, b) => b.feed.quarantined - a.feed.quarantined,
};

/** In the order asked for; equals by name. */
export const sorted = (lines: readonly Line[], by: Sort): Line[] =>
  [...lines].sort((a, b) => ORDER[by](a, b) || byName(a, b));

export interface Asked {
  text: string;
  /** "": all; "held": those with deliveries in quarantine. */
  stand: Stand | "held" | "";
}

/** Those asked for: every word must be found in what a row says. */
export function matching(lines: readonly Line[], asked: Asked): Line[] {
  const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
  return lines.filter(({ feed, stand }) => {
    if (asked.stand === "held" && feed.quarantined === 0) return false;
    if (asked.stand && asked.stand !== "held" && asked.stand !== stand) {
      return false;
    }
    const said = [
      feed.name,
      feed.kind,
      feed.agency,
      feed.format,
      feed.transport,
      feed.reason,
      feed.source,
    ]
      .join(" ")
      .toLowerCase();
    return words.every((w) => said.includes(w));
  });
}

/** The lines in an order that was kept: whatever is new in it comes last, what has gone is left out. */
export function kept(lines: readonly Line[], order: readonly string[]): Line[] {
  const at = new Map(order.map((name, i) => [name, i]));
  const place = (l: Line) => at.get(l.feed.name) ?? order.length;
  return [...lines].sort((a, b) => place(a) - place(b));
}
