// Which cameras are shown, and whether a picture still tells of now. Pure.
import type { Camera } from "../../api/cameras";

export interface Spot {
  lng: number;
  lat: number;
}

const EARTH_KM = 6371;
const rad = (deg: number) => (deg * Math.PI) / 180;

/** Kilometres as the crow flies. */
export function kilometres(a: Spot, b: Spot): number {
  const dLat = rad(b.lat - a.lat);
  const dLng = rad(b.lng - a.lng);
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(dLng / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The nearest to a place, nearest first; of two at one place by name. */
export function nearest(
  cameras: readonly Camera[],
  at: Spot,
  limit: number,
): Camera[] {
  return cameras
    .map((camera) => ({ camera, km: kilometres(at, camera) }))
    .sort((a, b) => a.km - b.km || a.camera.name.localeCompare(b.camera.name))
    .slice(0, limit)
    .map(({ camera }) => camera);
}

/** What hangs where many may look: restricted cameras never do. */
export const forWalls = (cameras: readonly Camera[]): Camera[] =>
  cameras.filter((c) => !c.restricted);

/** A camera's name beside its picture: that it is a camera one sees. */
export const shortName = (name: string): string =>
  name.replace(/^(cctv|kamera|camera)\s+(?=\S)/i, "");

const SLACK_MS = 2_000;

/** From then on a picture tells of the past: the next one should be here. */
export const oldAfterMs = (takenMs: number, everyS: number): number =>
  takenMs + 1.2 * everyS * 1000 + SLACK_MS;

/** The house has the next picture so long after its interval. */
const AFTER_MS = 500;

/**
 * When a picture is asked again, milliseconds: as soon as the next one is due, by the age of the last; a little later where it did not come in
 * time, and seldom where it is long gone. `ageMs` null: there was none.
 */
export function pollMs(everyS: number, ageMs: number | null): number {
  const every = everyS * 1000;
  if (ageMs === null || ageMs > 2 * every) return Math.max(1_000, every / 2);
  return Math.max(1_000, every / 10, every + AFTER_MS - ageMs);
}
