// How a dispatch stands: since when, what it waits for, when it arrives, and what may follow. Pure.
import type { Move } from "../../api/dispatches";
import { instant } from "../../i18n/format";
import type { Dispatch, DispatchStatus } from "../../wire/wire";

const OPEN: readonly DispatchStatus[] = [
  "offered",
  "accepted",
  "en_route",
  "on_scene",
];
export const isOpen = ({ status }: Dispatch): boolean => OPEN.includes(status);

/** The next step of the crew: the row's one button. */
const NEXT: Partial<Record<DispatchStatus, Move>> = {
  offered: "accepted",
  accepted: "en_route",
  en_route: "on_scene",
  on_scene: "done",
};
export const nextMove = ({ status }: Dispatch): Move | null =>
  NEXT[status] ?? null;

/** A unit that has set out is recalled, it no longer declines. */
export const mayDecline = ({ status }: Dispatch): boolean =>
  status === "offered" || status === "accepted";

/** When it came to stand so, milliseconds since 1970. */
export const since = (d: Dispatch): number | null => instant(d.times[d.status]);

/** How much later the house heard of it than it was done; 0 below a minute, where nobody needs to know. */
export function heardLater(d: Dispatch): number {
  const done = since(d);
  const heard = instant(d.received[d.status]);
  const late = done === null || heard === null ? 0 : heard - done;
  return late >= 60_000 ? late : 0;
}

/** What is left until an offer runs out; null: it is no offer. */
export function patience(d: Dispatch, now: number): number | null {
  const until = d.status === "offered" ? instant(d.expires_at) : null;
  return until === null ? null : Math.max(0, until - now);
}

/** What is left of its way, by what was expected when it was sent; negative: it should be there. null: not on its way, or not known. */
export function onTheWay(d: Dispatch, now: number): number | null {
  const left = instant(d.times.en_route);
  if (d.status !== "en_route" || left === null || d.travel_s === null) {
    return null;
  }
  return left + d.travel_s * 1000 - now;
}

/** Live ones over what was read, which may be older; those that bind a unit first, the last offered before the others. */
export function together(
  read: readonly Dispatch[],
  live: readonly Dispatch[],
  incident: string,
): Dispatch[] {
  const by = new Map(read.map((d) => [d.id, d]));
  for (const d of live) {
    const known = by.get(d.id);
    if (d.incident === incident && (known?.version ?? 0) <= d.version) {
      by.set(d.id, d);
    }
  }
  return [...by.values()].sort(
    (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || (a.id < b.id ? 1 : -1),
  );
}
