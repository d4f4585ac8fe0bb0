// Kinds, hours and faults of contacts in the screen's language.
import type { Problem } from "../../api/call";
import {
  DAYS,
  type ContactKind,
  type Day,
  type Hours,
} from "../../api/contacts";
import { language } from "../../i18n/lang.svelte";
import { m } from "../../i18n/paraglide/messages.js";
import { faultWords } from "../feeds-admin/words";
import { faultyFields } from "./draft";

const KIND: Record<ContactKind, () => string> = {
  duty_officer: m.con_officer,
  facility: m.con_facility,
  equipment: m.con_equipment,
};
export const kindWord = (kind: ContactKind): string => KIND[kind]();

/** A Monday. */
const MONDAY = Date.UTC(2026, 10, 30);
const DAY_MS = 86_400_000;

/** "Sen", "Mon". */
export const dayWord = (day: Day): string =>
  new Intl.DateTimeFormat(language.current === "id" ? "id-ID" : "en-GB", {
    weekday: "short",
    timeZone: "UTC",
  }).format(MONDAY + DAYS.indexOf(day) * DAY_MS);

/** "Sen–Jum" where days follow each other, else each. */
function daysWord(days: readonly Day[]): string {
  const at = DAYS.map((d, i) => (days.includes(d) ? i : -1)).filter(
    (i) => i >= 0,
  );
  if (at.length === 0 || at.length === 7) return m.con_every_day();
  const first = at[0] ?? 0;
  const last = at.at(-1) ?? 0;
  const name = (i: number) => dayWord(DAYS[i] ?? "mon");
  return at.length > 2 && last - first === at.length - 1
    ? `${name(first)}–${name(last)}`
    : at.map(name).join(", ");
}

const clock = (t: string): string =>
  language.current === "id" ? t.replace(":", ".") : t;

/** "Sen–Jum 08.00–16.00". */
export const spanWord = ({ days, from, to }: Hours): string =>
  `${daysWord(days)} ${clock(from)}–${clock(to)}`;

export const hoursWord = (hours: readonly Hours[]): string =>
  hours.length === 0 ? m.con_always() : hours.map(spanWord).join("; ");

const FIELD: Record<string, () => string> = {
  kind: m.con_kind,
  name: m.con_name,
  phone: m.con_phone,
  agency: m.con_agency,
  areas: m.con_areas,
  types: m.con_types,
  hours: m.con_hours,
  provides: m.con_provides,
  capacity: m.con_capacity_field,
  lng: m.con_place,
  lat: m.con_place,
  note: m.con_note,
  role: m.con_role,
};

/** Why it was not done; a fault of a field names it. */
export function whyNot(status: number, problem: Problem): string {
  if (status === 409) return m.con_fault_stale();
  if (status === 404) return m.con_fault_gone();
  const fields = [
    ...new Set(
      faultyFields(problem).map((f) => {
        const root = f.replace(/[[.].*$/, "");
        return FIELD[root]?.() ?? root;
      }),
    ),
  ];
  return status === 422 && fields.length > 0
    ? m.con_fault_fields({ fields: fields.join(", ") })
    : faultWords(status, problem);
}
