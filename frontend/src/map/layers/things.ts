// Words beside Things, and the room that few of them take, so that the map's words stay clear of their marks.
import type { FeatureCollection, Point } from "geojson";
import { prominence } from "../kinds";
import type { Watchers } from "./watch";

export interface Worded extends Watchers {
  readonly atMs: Float64Array;
  /** Kinds that are drawn; null: every kind. */
  readonly drawn: ReadonlySet<string> | null;
  kindOf(index: number): string;
}

/** More words than these nobody reads on a wall (domain, section 9). */
const MOST_WORDS = 40;
/** Up to so many Things the words make way for every mark. */
const MOST_ROOMS = 300;
/** Mock pixels. */
const MARK_PX = 30;

/** Words for stale Things, stations first, the longest silent first; rooms for the rest where they are few. */
export function thingWords(
  things: Worded,
  now: number,
  words: (index: number) => string,
): FeatureCollection<Point> {
  const stale: { index: number; rank: number; at: number }[] = [];
  const rooms: number[] = [];
  const few = things.size <= MOST_ROOMS;
  for (let i = 0; i < things.size; i++) {
    if (Number.isNaN(things.lng[i] ?? Number.NaN)) continue;
    if (things.drawn && !things.drawn.has(things.kindOf(i))) continue;
    const at = things.atMs[i] ?? 0;
    if (at > 0 && things.staleAt(i) <= now) {
      stale.push({ index: i, rank: prominence(things.kindOf(i)), at });
    } else if (few) rooms.push(i);
  }
  // Only stations where there are many: a parked truck's silence is no news.
  const said = (few ? stale : stale.filter((s) => s.rank === 0))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .slice(0, MOST_WORDS);
  const point = (index: number, label: string, rank: number) => ({
    type: "Feature" as const,
    properties: { label, rank, space: few ? MARK_PX : 8 },
    geometry: {
      type: "Point" as const,
      coordinates: [things.lng[index] ?? 0, things.lat[index] ?? 0],
    },
  });
  return {
    type: "FeatureCollection",
    features: [
      ...said.map((s) => point(s.index, words(s.index), s.rank)),
      ...rooms.map((i) => point(i, "", 3)),
    ],
  };
}
