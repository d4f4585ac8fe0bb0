// The one formatter of numbers, times and ages. Indonesian writes 14.05 and 1.234,5; English 14:05 and 1,234.5.
import { m } from "./paraglide/messages.js";
import { language } from "./lang.svelte";

export { instant } from "./instant";

const TAGS = { id: "id-ID", en: "en-GB" } as const;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(
  tag: string,
  zone: string,
  key: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const name = `${tag}|${zone}|${key}`;
  let made = cache.get(name);
  if (!made) {
    made = new Intl.DateTimeFormat(tag, { timeZone: zone, ...options });
    cache.set(name, made);
  }
  return made;
}

/** Clock time "14.05" or "14:05", with seconds where asked. `ms` is milliseconds since 1970, `zone` an IANA name. */
export function clockTime(ms: number, zone: string, seconds = false): string {
  const parts = formatter("en-GB", zone, "clock", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).formatToParts(ms);
  const part = (type: string) =>
    parts.find((p) => p.type === type)?.value ?? "";
  const values = [part("hour"), part("minute")];
  if (seconds) values.push(part("second"));
  return values.join(language.current === "id" ? "." : ":");
}

/** "Minggu, 22 Nov 2026". */
export function longDate(ms: number, zone: string): string {
  const parts = formatter(TAGS[language.current], zone, "date", {
    weekday: "long",
    day: "numeric",
    month: "short",
    year: "numeric",
  }).formatToParts(ms);
  const part = (type: string) =>
    parts.find((p) => p.type === type)?.value ?? "";
  return `${part("weekday")}, ${part("day")} ${part("month")} ${part("year")}`;
}

/** "22 Nov". */
export function shortDate(ms: number, zone: string): string {
  return formatter(TAGS[language.current], zone, "day", {
    day: "numeric",
    month: "short",
  }).format(ms);
}

/** Clock time, led by the date where it is not of the same day as `now`. */
export function stamp(ms: number, now: number, zone: string): string {
  const time = clockTime(ms, zone);
  const day = shortDate(ms, zone);
  return day === shortDate(now, zone) ? time : `${day} ${time}`;
}

const INDONESIAN_ZONES: Record<string, string> = {
  "Asia/Jakarta": "WIB",
  "Asia/Pontianak": "WIB",
  "Asia/Makassar": "WITA",
  "Asia/Jayapura": "WIT",
};

/** The zone's short name: WIB, WITA, WIT, or what the browser calls it. */
export function zoneName(ms: number, zone: string): string {
  const known = INDONESIAN_ZONES[zone];
  if (known) return known;
  const parts = formatter("en-GB", zone, "zone", {
    timeZoneName: "short",
  }).formatToParts(ms);
  return parts.find((p) => p.type === "timeZoneName")?.value ?? zone;
}

const numbers = new Map<string, Intl.NumberFormat>();

/** Making a formatter costs more than a hundred numbers. */
function figures(least: number, most: number): Intl.NumberFormat {
  const tag = TAGS[language.current];
  const name = `${tag}|${least}|${most}`;
  let made = numbers.get(name);
  if (!made) {
    made = new Intl.NumberFormat(tag, {
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    });
    numbers.set(name, made);
  }
  return made;
}

/** A number in the screen's language, with at most `digits` decimals. */
export function number(value: number, digits = 1): string {
  return figures(0, digits).format(value);
}

/** A number with exactly `digits` decimals, as magnitudes are read: "M 5,0". */
export function fixed(value: number, digits = 1): string {
  return figures(digits, digits).format(value);
}

/** An age's figure and its unit in words, apart, so that a screen may weigh them differently. A negative age counts as 0. */
export function ageParts(ms: number): { figure: string; unit: string } {
  const age = Math.max(0, ms);
  if (age < MINUTE) {
    return {
      figure: number(Math.floor(age / SECOND), 0),
      unit: m.unit_second(),
    };
  }
  if (age < HOUR) {
    return {
      figure: number(Math.floor(age / MINUTE), 0),
      unit: m.unit_minute(),
    };
  }
  if (age < 2 * DAY) {
    return { figure: number(Math.floor(age / HOUR), 0), unit: m.unit_hour() };
  }
  return { figure: number(Math.floor(age / DAY), 0), unit: m.unit_day() };
}

/** "53 dtk", "2 mnt", "3 jam", "4 hari". */
export function age(ms: number): string {
  const { figure, unit } = ageParts(ms);
  return `${figure} ${unit}`;
}

/** "2 mnt 17 dtk": two steps, for a running age that people act on. */
export function longAge(ms: number): string {
  const value = Math.max(0, ms);
  if (value < MINUTE || value >= DAY) return age(value);
  if (value < HOUR) {
    return `${age(value)} ${age(value % MINUTE)}`;
  }
  return `${number(Math.floor(value / HOUR), 0)} ${m.unit_hour()} ${age(value % HOUR < MINUTE ? MINUTE * 0 : value % HOUR)}`;
}

/** Degrees on the map's edge: "100,6° BT", "0,8° LS". */
export function degrees(value: number, axis: "lng" | "lat"): string {
  const figure = fixed(Math.abs(value), 1);
  if (axis === "lng") {
    return value < 0 ? m.degrees_west({ figure }) : m.degrees_east({ figure });
  }
  return value < 0 ? m.degrees_south({ figure }) : m.degrees_north({ figure });
}

const SIGNS: Record<string, string> = { Cel: "°C", deg: "°", "1": "" };
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A unit of UCUM as people write it: "m3/s" is m³/s, "ug/m3" µg/m³, "[g]" g, "Cel" °C. */
export function unitSign(ucum: string): string {
  const sign = SIGNS[ucum];
  if (sign !== undefined) return sign;
  return ucum
    .replace(/[[\]]|\{[^}]*\}/g, "")
    .replace(/\bu(?=[a-zA-Z])/g, "µ")
    .replace(/(?<=[a-zA-Z])[2-9]/g, (digit) => RAISED[Number(digit)] ?? digit);
}
