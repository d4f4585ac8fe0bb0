// /api/v1/feeds: how each feed fares, one of them whole, what it holds in quarantine, trying a feed and keeping it.
import type { FeedStatus } from "../wire/wire";
import { call, query, type Answer } from "./call";
import {
  count,
  doc,
  docs,
  figure,
  isDoc,
  text,
  texts,
  word,
  type Doc,
} from "./read";

export const SOURCES = ["file", "api"] as const;
export type Source = (typeof SOURCES)[number];

/** A feed's state as this page reads it. */
export type FeedRow = Omit<FeedStatus, "source"> & { source: Source };

const STATES = ["off", "ok", "late", "failing"] as const;

export function readRow(value: unknown): FeedRow {
  const d = doc(value);
  const by = Object.entries(doc(d["rejects_by_reason"]));
  return {
    name: text(d["name"]),
    format: text(d["format"]),
    transport: text(d["transport"]),
    agency: text(d["agency"]),
    state: word(d["state"], STATES),
    reason: text(d["reason"]),
    reason_id: text(d["reason_id"]),
    last_success: text(d["last_success"]) || null,
    last_error: text(d["last_error"]),
    last_error_at: text(d["last_error_at"]) || null,
    interval_s: count(d["interval_s"]),
    items_per_minute: count(d["items_per_minute"]),
    lag_ms: figure(d["lag_ms"]),
    rejects: count(d["rejects"]),
    simulated: d["simulated"] === true,
    attribution: text(d["attribution"]),
    kind: text(d["kind"]),
    source: word(d["source"], SOURCES),
    version: count(d["version"]),
    quarantined: count(d["quarantined"]),
    rejects_by_reason: Object.fromEntries(by.map(([k, v]) => [k, count(v)])),
  };
}

/** One difference between what is usual and what came. */
export interface Change {
  field: string;
  was: string;
  now: string;
  what: string;
  /** In words, by language. */
  words: { id: string; en: string };
  /** Of the delivery's items, 0 to 1; null: not of single items. */
  share: number | null;
  /** Single records of it: whose, and what it said. */
  examples: { thing: string; value: string }[];
  /** Against what is written down, not what was learned. */
  declared: boolean;
}

export const HELD_STATES = ["held", "accepted", "kept"] as const;

/** One cause with all deliveries that are held for it until somebody decides; where nothing is withheld, they are counted and the newest is a sample. */
export interface Held {
  id: string;
  feed: string;
  /** Of the newest. */
  at: string | null;
  firstAt: string | null;
  /** Of those that lie there. */
  oldestAt: string | null;
  /** When what lies there is forgotten, decided or not. */
  expiresAt: string | null;
  /** Deliveries of this cause in all. */
  times: number;
  /** Deliveries that lie there with their bytes; of those also the items, the readings that are withheld and the bytes. */
  deliveries: number;
  items: number;
  readings: number;
  bytes: number;
  /** Deliveries that somebody has accepted, and that had to make room after somebody had set them aside. */
  taken: number;
  dropped: number;
  /** The readings that were there were stored: this tells of what is missing. */
  passed: boolean;
  /** Bytes lie there; without them, accepting is possible only for what has passed. */
  whole: boolean;
  url: string;
  topic: string;
  reason: string;
  diff: Change[];
  state: (typeof HELD_STATES)[number];
  by: string;
  note: string;
  decidedAt: string | null;
}

/** A value as a person reads it in one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  return JSON.stringify(value);
}

export function readChange(value: unknown): Change {
  const d = doc(value);
  return {
    field: text(d["field"]),
    was: shown(d["was"]),
    now: shown(d["now"]),
    what: text(d["what"]),
    words: { id: text(d["text_id"]), en: text(d["text_en"]) },
    share: figure(d["share"]),
    examples: docs(d["examples"]).map((e) => ({
      thing: text(e["thing"]),
      value: shown(e["value"]),
    })),
    declared: d["declared"] === true,
  };
}

export function readHeld(value: unknown): Held {
  const d = doc(value);
  return {
    id: text(d["id"]),
    feed: text(d["feed"]),
    at: text(d["at"]) || null,
    firstAt: text(d["first_at"]) || null,
    oldestAt: text(d["oldest_at"]) || null,
    expiresAt: text(d["expires_at"]) || null,
    times: Math.max(1, count(d["times"])),
    deliveries: count(d["deliveries"]),
    readings: count(d["readings"]),
    taken: count(d["taken"]),
    dropped: count(d["dropped"]),
    passed: d["passed"] === true,
    whole: d["whole"] !== false,
    items: count(d["items"]),
    bytes: count(d["bytes"]),
    url: text(d["url"]),
    topic: text(d["topic"]),
    reason: text(d["reason"]),
    diff: docs(d["diff"]).map(readChange),
    state: word(d["state"], HELD_STATES),
    by: text(d["by"]),
    note: text(d["note"]),
    decidedAt: text(d["decided_at"]) || null,
  };
}

/** How full a quarantine is. */
export interface Room {
  causes: number;
  mostCauses: number;
  deliveries: number;
  mostDeliveries: number;
  size: number;
  mostSize: number;
}

function readRoom(value: unknown): Room {
  const d = doc(value);
  return {
    causes: count(d["causes"]),
    mostCauses: count(d["most_causes"]),
    deliveries: count(d["deliveries"]),
    mostDeliveries: count(d["most_deliveries"]),
    size: count(d["size"]),
    mostSize: count(d["most_size"]),
  };
}

/** One feed with its settings, its contract and what is held. */
export interface Feed {
  status: FeedRow;
  config: Doc;
  source: Source;
  version: number;
  contract: Doc | null;
  quarantine: Held[];
  room: Room;
}

export function readFeed(value: unknown): Feed {
  const d = doc(value);
  const status = readRow(d["status"]);
  return {
    status,
    config: doc(d["config"]),
    source: word(d["source"] ?? status.source, SOURCES),
    version: count(d["version"]),
    contract: isDoc(d["contract"]) ? d["contract"] : null,
    quarantine: docs(d["quarantine"]).map(readHeld),
    room: readRoom(d["room"]),
  };
}

/** A fault of a configuration or of a map: the key at which it stands, and the line where one is known. */
export interface Fault {
  key: string;
  text: string;
  line: number;
}

export interface Passed {
  index: number;
  reason: string;
}

export interface Receipt {
  accepted: number;
  duplicates: number;
  ignored: Passed[];
  rejected: Passed[];
}

export const NOUNS = [
  "observations",
  "alerts",
  "reports",
  "positions",
] as const;
export type Noun = (typeof NOUNS)[number];

/** What a feed's bytes would become; nothing was stored. */
export interface Trial {
  faults: Fault[];
  receipt: Receipt;
  records: Record<Noun, Doc[]>;
  follow: string[];
  bytes: number;
  firstBytes: string;
  /** Why the whole was refused; empty: it was not. */
  refused: string;
}

const passed = (value: unknown): Passed[] =>
  docs(value).map((d) => ({
    index: count(d["index"]),
    reason: text(d["reason"]),
  }));

export function readTrial(value: unknown): Trial {
  const d = doc(value);
  const receipt = doc(d["receipt"]);
  const records = doc(d["records"]);
  return {
    faults: docs(d["faults"]).map((f) => ({
      key: text(f["key"]),
      text: text(f["text"]),
      line: count(f["line"]),
    })),
    receipt: {
      accepted: count(receipt["accepted"]),
      duplicates: count(receipt["duplicates"]),
      ignored: passed(receipt["ignored"]),
      rejected: passed(receipt["rejected"]),
    },
    records: Object.fromEntries(
      NOUNS.map((noun) => [noun, docs(records[noun])]),
    ) as Record<Noun, Doc[]>,
    follow: texts(d["follow"]),
    bytes: count(d["bytes"]),
    firstBytes: text(d["first_bytes"]),
    refused: text(d["refused"]) || text(d["error"]),
  };
}

export interface Attempt {
  config?: Doc;
  yaml?: string;
  body?: string;
  body_base64?: string;
  fetch?: boolean;
  content_type?: string;
  topic?: string;
}

const ROOT = "/api/v1/feeds";
const at = (name: string) => `${ROOT}/${encodeURIComponent(name)}`;
/** Asking a source and reading its answer may take as long as a feed's own timeout. */
const TRY_MS = 60_000;

/** An answer with its body read. */
function mapped<A, B>(answer: Answer<A>, read: (body: A) => B): Answer<B> {
  return answer.ok ? { ...answer, body: read(answer.body) } : answer;
}

export const fetchFeeds = async (): Promise<Answer<FeedRow[]>> =>
  mapped(await call<unknown>("GET", ROOT), (body) =>
    docs(doc(body)["items"]).map(readRow),
  );

export const fetchFeed = async (name: string): Promise<Answer<Feed>> =>
  mapped(await call<unknown>("GET", at(name)), readFeed);

export const heldBody = (held: Held): string =>
  `${at(held.feed)}/quarantine/${encodeURIComponent(held.id)}/body`;

/** What one request may take to store what is held. */
const DECIDE_MS = 25_000;

/** Takes a decision. Where the answer to "accept" still says held, not all is stored yet: asked again, it goes on. */
export const decide = async (
  held: Held,
  what: "accept" | "keep",
  note: string,
): Promise<Answer<Held>> =>
  mapped(
    await call<unknown>(
      "POST",
      `${at(held.feed)}/quarantine/${encodeURIComponent(held.id)}`,
      { do: what, note },
      DECIDE_MS,
    ),
    readHeld,
  );

export const tryFeed = async (attempt: Attempt): Promise<Answer<Trial>> =>
  mapped(
    await call<unknown>("POST", `${ROOT}/try`, attempt, TRY_MS),
    readTrial,
  );

/** Keeps a feed; version 0: it is new. */
export const putFeed = (
  name: string,
  config: Doc,
  version: number,
): Promise<Answer<unknown>> => call("PUT", at(name), { config, version });

export const deleteFeed = (
  name: string,
  version: number,
): Promise<Answer<unknown>> => call("DELETE", at(name) + query({ version }));
