// Where units went while this screen looked on. Pure but for what it keeps.
import type { FeatureCollection, LineString } from "geojson";

/** What a trail is made of: the server's columns. */
export interface Movers {
  readonly size: number;
  readonly lng: Float64Array;
  readonly lat: Float64Array;
  readonly atMs: Float64Array;
  readonly kind: Uint16Array;
  readonly kinds: readonly string[];
  id(index: number): string;
}

/** `heard`: how long it was heard from there. */
type Step = [lng: number, lat: number, at: number, heard: number];

/** The kind of Thing that leaves a trail. */
const UNIT = "unit";
/** How far back a trail reaches, and how much of it is drawn strong. */
export const TRAIL_MS = 15 * 60_000;
export const RECENT_MS = 3 * 60_000;
/** A step is kept where it goes this far, so that who stands leaves no knot: some 15 m. */
const STEP_DEGREES = 0.000_14;
/** Where nothing was heard for so long nobody knows the way between: the line breaks. */
export const GAP_MS = 3 * 60_000;
/** Steps kept of one unit. */
const MOST_STEPS = 240;

export class Trails {
  #ways = new Map<string, Step[]>();

  /** Takes over where the units are now; ways that nobody went on for a quarter of an hour are forgotten. */
  note(things: Movers, now: number): void {
    const unit = things.kinds.indexOf(UNIT);
    for (let i = 0; unit >= 0 && i < things.size; i++) {
      if (things.kind[i] !== unit) continue;
      const [lng, lat] = [things.lng[i], things.lat[i]];
      const at = things.atMs[i] ?? 0;
      if (lng === undefined || lat === undefined || Number.isNaN(lng)) continue;
      const way = this.#ways.get(things.id(i)) ?? [];
      const last = way.at(-1);
      if (last && at <= last[3]) continue;
      if (last && Math.hypot(lng - last[0], lat - last[1]) < STEP_DEGREES) {
        last[3] = at; // it stands there, and was heard
        continue;
      }
      way.push([lng, lat, at, at]);
      if (way.length > MOST_STEPS) way.shift();
      this.#ways.set(things.id(i), way);
    }
    for (const [id, way] of this.#ways) {
      const kept = way.filter(([, , , heard]) => now - heard <= TRAIL_MS);
      if (kept.length === 0) this.#ways.delete(id);
      else if (kept.length < way.length) this.#ways.set(id, kept);
    }
  }

  /** The ways as lines, what is older than a few minutes apart from the rest; none of whoever is not among `seen`. */
  lines(
    now: number,
    seen: (id: string) => boolean,
  ): FeatureCollection<LineString> {
    const features: FeatureCollection<LineString>["features"] = [];
    for (const [id, way] of this.#ways) {
      if (!seen(id)) continue;
      let line: Step[] = [];
      let recent = false;
      const end = () => {
        if (line.length > 1)
          features.push({
            type: "Feature",
            properties: { recent },
            geometry: {
              type: "LineString",
              coordinates: line.map(([lng, lat]) => [lng, lat]),
            },
          });
      };
      for (const step of way) {
        const last = line.at(-1);
        const fresh = now - step[3] <= RECENT_MS;
        if (last && step[2] - last[3] > GAP_MS) {
          end();
          line = [];
        } else if (last && fresh !== recent) {
          end();
          line = [last];
        }
        recent = fresh;
        line.push(step);
      }
      end();
    }
    return { type: "FeatureCollection", features };
  }
}
