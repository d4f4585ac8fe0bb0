// /api/v1/alarms: what asks an operator to act, the acts on it, and the figures of ISA-18.2 and EEMUA 191.
import type { Alarm, Priority } from "../wire/wire";
import { call, query, type Answer } from "./call";
import { count, doc, docs, figure, list, text } from "./read";

/** Of P1, P2 and P3. */
export type Mix = Record<Priority, number>;

export interface Busy {
  source: string;
  event: string;
  count: number;
}

/** The figures of one desk, or of the house. */
export interface Health {
  /** Empty: the house. */
  desk: string;
  /** Presentations within 10 minutes. */
  new10m: number;
  /** Presented per 10 minutes, over the shift so far. */
  rate10m: number;
  load: string;
  flood: boolean;
  floodSince: string | null;
  /** Of 24 h. */
  floodShare: number;
  raised24h: number;
  presented24h: number;
  mix: Mix;
  open: Mix;
  standing: number;
  chattering: number;
  shelved: number;
  suppressed: number;
  withheld: number;
  /** Of the ten busiest sources, of 24 h. */
  topShare: number;
  top: Busy[];
  /** null: nothing was acknowledged within 24 h. */
  ackP50Ms: number | null;
  ackP90Ms: number | null;
}

export interface Figures {
  house: Health;
  desks: Health[];
}

function mix(value: unknown): Mix {
  const d = doc(value);
  return { P1: count(d["P1"]), P2: count(d["P2"]), P3: count(d["P3"]) };
}

export function readHealth(value: unknown): Health {
  const d = doc(value);
  return {
    desk: text(d["desk"]),
    new10m: count(d["new_10m"]),
    rate10m: count(d["rate_10m"]),
    load: text(d["load"]),
    flood: d["flood"] === true,
    floodSince: text(d["flood_since"]) || null,
    floodShare: count(d["flood_share"]),
    raised24h: count(d["raised_24h"]),
    presented24h: count(d["presented_24h"]),
    mix: mix(d["mix"]),
    open: mix(d["open"]),
    standing: count(d["standing"]),
    chattering: count(d["chattering"]),
    shelved: count(d["shelved"]),
    suppressed: count(d["suppressed"]),
    withheld: count(d["withheld"]),
    topShare: count(d["top_share"]),
    top: docs(d["top"]).map((b) => ({
      source: text(b["source"]),
      event: text(b["event"]),
      count: count(b["count"]),
    })),
    ackP50Ms: figure(d["ack_p50_ms"]),
    ackP90Ms: figure(d["ack_p90_ms"]),
  };
}

const ROOT = "/api/v1/alarms";
const at = (id: string, verb: string) =>
  `${ROOT}/${encodeURIComponent(id)}/${verb}`;

export async function fetchHealth(): Promise<Answer<Figures>> {
  const answer = await call<unknown>("GET", `${ROOT}/health`);
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      house: readHealth(d["house"]),
      desks: list(d["desks"]).map(readHealth),
    },
  };
}

interface Found {
  items: Alarm[];
  next_page: string;
}

/** What stands and is not presented: sockets tell only what is, or was. */
export const fetchWithheld = (q: string): Promise<Answer<Found>> =>
  call(
    "GET",
    ROOT +
      query({ state: "open", presented: "false", q: q.trim(), limit: 500 }),
  );

/** Those that an alarm stands for. */
export const fetchGroup = (id: string): Promise<Answer<Found>> =>
  call("GET", ROOT + query({ state: "open", group: id, limit: 200 }));

/** What is not presented, over too: evidence that can be searched. */
export async function searchWithheld(
  q: string,
  page = "",
): Promise<Answer<Found>> {
  return call(
    "GET",
    ROOT + query({ presented: "false", q: q.trim(), limit: 50, page }),
  );
}

/** Acts say which version was seen, and at which desk. */
export interface Seen {
  version: number;
  desk?: string;
  note?: string;
}

export const acknowledge = (id: string, seen: Seen): Promise<Answer<Alarm>> =>
  call("POST", at(id, "acknowledge"), seen);

export const shelve = (
  id: string,
  seen: Seen & { reason: string; minutes: number },
): Promise<Answer<Alarm>> => call("POST", at(id, "shelve"), seen);

export const unshelve = (id: string, seen: Seen): Promise<Answer<Alarm>> =>
  call("POST", at(id, "unshelve"), seen);

/** Many at once; the house takes no P1 this way. */
export const acknowledgeMany = (
  ids: readonly string[],
  desk: string,
): Promise<Answer<unknown>> =>
  call("POST", `${ROOT}/acknowledge`, { ids, ...(desk && { desk }) });

/** Notes that a desk is silent for so many minutes, or sounds again: 0. */
export const noteMute = (
  minutes: number,
  desk: string,
): Promise<Answer<unknown>> =>
  call("POST", `${ROOT}/mute`, { minutes, ...(desk && { desk }) });
