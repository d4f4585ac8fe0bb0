// Times as the city's clock shows them, in fields of forms.

const MINUTE_MS = 60_000;

/** How far a zone's clock is ahead of UTC at a moment. */
function ahead(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(at);
  const part = (type: string) =>
    Number(parts.find((p) => p.type === type)?.value);
  const shown = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
  );
  return shown - Math.floor(at / MINUTE_MS) * MINUTE_MS;
}

/** What a field of date and time holds ("2026-12-01T08:00"), as an instant; empty where it holds none. */
export function instantOf(field: string, zone: string): string {
  const wall = Date.parse(`${field}Z`);
  if (field === "" || Number.isNaN(wall)) return "";
  const first = wall - ahead(wall, zone);
  return new Date(wall - ahead(first, zone)).toISOString();
}

/** The other way. */
export function fieldOf(at: string, zone: string): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return "";
  return new Date(ms + ahead(ms, zone)).toISOString().slice(0, 16);
}
