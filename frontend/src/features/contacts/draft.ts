// A contact as it is written and found: what is asked for, who is on duty at an hour, what the house found wrong. Pure.
import type { Problem } from "../../api/call";
import {
  DAYS,
  type ContactDraft,
  type ContactKind,
  type Entry,
  type Hours,
} from "../../api/contacts";
import { docs, text } from "../../api/read";

export const blank = (): ContactDraft => ({
  kind: "facility",
  name: "",
  role: "",
  agency: "",
  phone: "",
  personal: false,
  areas: [],
  types: [],
  hours: [],
  provides: [],
  capacity: 0,
  lng: null,
  lat: null,
  note: "",
});

/** A copy to write in. */
export const draftOf = (one: Entry): ContactDraft => ({
  kind: one.kind,
  name: one.name,
  role: one.role,
  agency: one.agency,
  phone: one.phone,
  personal: one.personal,
  areas: [...one.areas],
  types: [...one.types],
  hours: one.hours.map((h) => ({ ...h, days: [...h.days] })),
  provides: [...one.provides],
  capacity: one.capacity,
  lng: one.lng,
  lat: one.lat,
  note: one.note,
});

/** "bed, ruang operasi,," as a list. */
export const words = (line: string): string[] => [
  ...new Set(
    line
      .split(",")
      .map((w) => w.trim())
      .filter(Boolean),
  ),
];

const DAY_MIN = 24 * 60;

const minutes = (clock: string): number => {
  const [h = 0, min = 0] = clock.split(":").map(Number);
  return h * 60 + min;
};

/** Whether a stretch holds an instant of the week; one that goes past midnight belongs to the day on which it begins. */
function covers(span: Hours, weekday: number, minute: number): boolean {
  const from = minutes(span.from);
  const end = minutes(span.to);
  const to = end <= from ? end + DAY_MIN : end;
  return [0, 1].some((back) => {
    const day = DAYS[(weekday - back + 7) % 7];
    if (span.days.length > 0 && (!day || !span.days.includes(day)))
      return false;
    const at = minute + back * DAY_MIN;
    return from <= at && at < to;
  });
}

/** Whether somebody is on duty at an instant as the clock of the place shows it, "2026-11-28T08:00"; no hours: always. */
export function onDutyAt(hours: readonly Hours[], wall: string): boolean {
  if (hours.length === 0) return true;
  const at = new Date(`${wall}Z`);
  if (Number.isNaN(at.getTime())) return true;
  const weekday = (at.getUTCDay() + 6) % 7;
  const minute = at.getUTCHours() * 60 + at.getUTCMinutes();
  return hours.some((span) => covers(span, weekday, minute));
}

/** What is looked for; empty: whatever it is. */
export interface Wanted {
  text: string;
  kind: ContactKind | "";
  agency: string;
  area: string;
  /** "2026-11-28T08:00", by the clock of the place. */
  wall: string;
}

export const WHOEVER: Wanted = {
  text: "",
  kind: "",
  agency: "",
  area: "",
  wall: "",
};

export function found(all: readonly Entry[], want: Wanted): Entry[] {
  const parts = want.text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((c) => {
    const said = [c.name, c.role, c.note, c.phone, ...c.provides]
      .join("\n")
      .toLowerCase();
    return (
      parts.every((p) => said.includes(p)) &&
      (want.kind === "" || c.kind === want.kind) &&
      (want.agency === "" || c.agency === want.agency) &&
      (want.area === "" ||
        c.areas.length === 0 ||
        c.areas.includes(want.area)) &&
      (want.wall === "" || onDutyAt(c.hours, want.wall))
    );
  });
}

/** A number that a telephone takes, as the house judges it. */
export const dialled = (phone: string): boolean =>
  /^\+?[\d .()-]*$/.test(phone.trim()) &&
  /^(\D*\d){3,15}\D*$/.test(phone.trim());

/** The fields that the house found wrong: "phone", "hours[1]". */
export const faultyFields = (problem: Problem): string[] =>
  docs(problem["errors"])
    .map((e) => text(e["location"]).replace(/^body\./, ""))
    .filter(Boolean);
