// Whom to call: /api/v1/contacts.
import { call, query, type Answer } from "./call";

export const KINDS = ["duty_officer", "facility", "equipment"] as const;
export type ContactKind = (typeof KINDS)[number];

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

/** A stretch of the day by the clock of the place; to no later than from: past midnight. No days: every day. */
export interface Hours {
  days: Day[];
  from: string;
  to: string;
}

/** What somebody says of a contact. */
export interface ContactDraft {
  kind: ContactKind;
  name: string;
  role: string;
  /** Slug; empty: the house's own. */
  agency: string;
  /** Masked where it is a person's own and not for who reads. */
  phone: string;
  personal: boolean;
  /** Names of areas; none: everywhere. */
  areas: string[];
  /** Codes of types of incidents; none: all. */
  types: string[];
  /** None: always. */
  hours: Hours[];
  provides: string[];
  /** 0: not said. */
  capacity: number;
  lng: number | null;
  lat: number | null;
  note: string;
}

export interface Entry extends ContactDraft {
  id: string;
  version: number;
  /** Subject of who wrote it last. */
  by: string;
  updated_at: string | null;
}

/** An entry that fits a place and type now. */
export interface Contact extends Entry {
  /** On duty until then; null: always. */
  until: string | null;
  distance_m: number | null;
  for_area: boolean;
  for_type: boolean;
}

interface List<T> {
  items: T[];
}

const ROOT = "/api/v1/contacts";
const at = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

/** Who is on duty now for a place and type; null where nobody answers. */
export async function onDuty(need: {
  type: string;
  area: string;
  near: string;
}): Promise<Contact[] | null> {
  const answer = await call<List<Contact>>("GET", `${ROOT}/duty${query(need)}`);
  return answer.ok ? answer.body.items : null;
}

/** The whole telephone book, as far as whoever asks may see it. */
export async function fetchContacts(): Promise<Answer<Entry[]>> {
  const answer = await call<List<Entry>>("GET", ROOT);
  return answer.ok ? { ...answer, body: answer.body.items } : answer;
}

/** What has no place says none. */
const said = ({ lng, lat, ...rest }: ContactDraft) =>
  lng === null || lat === null ? rest : { ...rest, lng, lat };

export const addContact = (draft: ContactDraft): Promise<Answer<Entry>> =>
  call("POST", ROOT, said(draft));

export const editContact = (
  { id, version }: Entry,
  draft: ContactDraft,
): Promise<Answer<Entry>> => call("PUT", at(id), { ...said(draft), version });

export const dropContact = ({ id, version }: Entry): Promise<Answer<unknown>> =>
  call("DELETE", `${at(id)}${query({ version })}`);
