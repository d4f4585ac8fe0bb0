// Where a phone is: which of its fixes are worth sending, and which wait while nobody answers. Pure.

/** One fix of a phone: WGS 84 degrees, metres (of 95 in 100 fixes), milliseconds since 1970 by the phone's clock. */
export interface Fix {
  lng: number;
  lat: number;
  accuracy: number;
  at: number;
}

/** A crew that drives is told of so often: the wall draws a place older than two minutes as old. */
export const MOVING_MS = 15_000;
/** One that stands. */
export const STILL_MS = 60_000;
/** Less than this is the phone's own trembling. */
const MOVED_M = 25;
/** Worse than this it is no place: the house takes none. */
const WORST_M = 100_000;
/** How many wait for a network: at two a minute, close to two hours of a drive. */
export const MOST = 200;

const EARTH_M = 6_371_008.8;
const RAD = Math.PI / 180;

/** Metres between two places that lie near each other. */
export function apart(a: Fix, b: Fix): number {
  const x =
    (b.lng - a.lng) * RAD * Math.cos(((a.lat + b.lat) / 2) * RAD) * EARTH_M;
  const y = (b.lat - a.lat) * RAD * EARTH_M;
  return Math.hypot(x, y);
}

/** Whether a fix says something new now, after the one that was taken last; null: none was. */
export function worth(last: Fix | null, fix: Fix, now = fix.at): boolean {
  if (!(fix.accuracy <= WORST_M)) return false;
  if (!last) return true;
  if (fix.at <= last.at) return false;
  const age = now - last.at;
  if (age >= STILL_MS) return true;
  return age >= MOVING_MS && apart(last, fix) > Math.max(MOVED_M, fix.accuracy);
}

/** What waits, with one more: of a way that is too long every second place goes, never the first or the last. */
export function joined(
  trail: readonly Fix[],
  fix: Fix,
  most = MOST,
): readonly Fix[] {
  const all = [...trail, fix];
  return all.length <= most
    ? all
    : all.filter((_, i) => i % 2 === 0 || i === all.length - 1);
}

const FRESH_MS = 120_000;

/** Where help may be sent: a fix of the last two minutes; null: there is none. */
export const whereNow = (
  fix: Fix | null,
  now: number,
): { lng: number; lat: number } | null =>
  fix && now - fix.at < FRESH_MS ? { lng: fix.lng, lat: fix.lat } : null;
