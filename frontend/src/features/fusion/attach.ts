// What a person may attach to an incident: reports and alerts that stand, official statements, and sensors by their name. Pure.
import { instant } from "../../i18n/format";
import type {
  Alert,
  Evidence,
  Incident,
  Report,
  Statement,
} from "../../wire/wire";
import type { ThingView } from "../../stores/fleet.svelte";
import { distanceM, type Point } from "../desk/coordinates";
import { inForce } from "../alerts/pick";

export interface Piece {
  kind: "report" | "alert" | "statement" | "observation";
  ref: string;
  words: string;
  at: number | null;
  point: Point | null;
}

interface Known {
  reports: readonly Report[];
  alerts: readonly Alert[];
  statements: readonly Statement[];
  /** Those that a search has found. */
  things: readonly Pick<ThingView, "id" | "name" | "lng" | "lat" | "atMs">[];
}

const pointOf = (lng: number | null, lat: number | null): Point | null =>
  lng === null || lat === null || Number.isNaN(lng) ? null : { lng, lat };

/** Metres from an incident; null where one of the two has no place. */
export const farFrom = (
  incident: Pick<Incident, "location">,
  { point }: Piece,
): number | null =>
  incident.location && point ? distanceM(incident.location, point) : null;

/** The nearest first, then the newest, without what is there already, what is of another plane, and what does not hold the words. */
export function attachable(
  incident: Incident,
  { reports, alerts, statements, things }: Known,
  wanted: string,
  now: number,
): Piece[] {
  const there = new Set(
    ((incident.evidence as Evidence[] | null) ?? []).map((e) => e.ref),
  );
  const same = (d: { simulated: boolean }) =>
    d.simulated === incident.simulated;
  const all: Piece[] = [
    ...reports.filter(same).map((r): Piece => ({
      kind: "report",
      ref: r.id,
      words: r.text,
      at: instant(r.received_at),
      point: pointOf(r.lng, r.lat),
    })),
    ...alerts
      .filter((a) => same(a) && inForce(a, now))
      .map((a): Piece => {
        const shape = a.area.geometry;
        const [lng, lat] =
          shape?.type === "Point" ? shape.coordinates : [null, null];
        return {
          kind: "alert",
          ref: a.id,
          words: a.headline || a.event,
          at: instant(a.sent),
          point: pointOf(lng, lat),
        };
      }),
    ...statements.filter(same).map((s): Piece => ({
      kind: "statement",
      ref: s.id,
      words: `${s.name || s.subject}, ${s.source}`,
      at: instant(s.stated_at),
      point: s.location,
    })),
    ...things.map((t): Piece => ({
      kind: "observation",
      ref: t.id,
      words: t.name || t.id,
      at: t.atMs || null,
      point: pointOf(t.lng, t.lat),
    })),
  ];
  const needle = wanted.trim().toLowerCase();
  const far = (p: Piece) => farFrom(incident, p) ?? Number.POSITIVE_INFINITY;
  return all
    .filter(
      (p) =>
        !there.has(p.ref) &&
        (p.kind === "observation" || p.words.toLowerCase().includes(needle)),
    )
    .sort((a, b) => far(a) - far(b) || (b.at ?? 0) - (a.at ?? 0));
}
