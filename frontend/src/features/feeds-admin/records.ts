// Native records of a try as rows of a table: the columns that say most, and where each lies.
import { shown } from "../../api/feeds";
import { figure, type Doc } from "../../api/read";

/** What a reader looks for first, whatever the noun. */
const FIRST = [
  "thing",
  "id",
  "unit_id",
  "identifier",
  "name",
  "call_sign",
  "event",
  "headline",
  "severity",
  "property",
  "value",
  "unit",
  "text",
  "description",
  "channel",
  "status",
  "at",
  "sent",
  "kind",
];
const PLACE = new Set(["lat", "lng"]);
/** Told by the heading of the table. */
const KNOWN = new Set(["record"]);
const MOST = 6;

/** At most six columns: those known to matter in their order, then whatever else the records have. */
export function columnsOf(records: readonly Doc[]): string[] {
  const there = new Set(records.flatMap((r) => Object.keys(r)));
  const rank = (key: string) => {
    const at = FIRST.indexOf(key);
    return at < 0 ? FIRST.length : at;
  };
  return [...there]
    .filter((k) => !PLACE.has(k) && !KNOWN.has(k))
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MOST);
}

export interface Spot {
  lng: number;
  lat: number;
}

/** Where a record lies; null: it says no place. */
export function spotOf(record: Doc): Spot | null {
  const lng = figure(record["lng"]);
  const lat = figure(record["lat"]);
  if (lng === null || lat === null) return null;
  return Math.abs(lat) <= 90 && Math.abs(lng) <= 180 ? { lng, lat } : null;
}

/** A place to five decimals, as people compare them; empty where there is none. */
export function placeWords(record: Doc): string {
  const spot = spotOf(record);
  return spot ? `${spot.lat.toFixed(5)}, ${spot.lng.toFixed(5)}` : "";
}

/** A value of a record in one line. */
export const cell = (record: Doc, key: string): string => shown(record[key]);
