// /api/v1/devices: walls, field devices and gateways, let in by a code that they show or by a token that is made for them.
import { call, type Answer } from "./call";
import { doc, docs, text, texts, word } from "./read";

export const KINDS = ["wall", "field", "broker"] as const;
export type DeviceKind = (typeof KINDS)[number];

export interface DeviceDraft {
  name: string;
  /** Of a wall. */
  screen: string;
  /** Of a field device: the account that carries it, or else a unit. */
  person: string;
  unit: string;
  /** Of a gateway. */
  feed: string;
  topics: string[];
}

export interface Device extends DeviceDraft {
  id: string;
  kind: DeviceKind;
  at: string | null;
  by: string;
  enrolledAt: string | null;
  until: string | null;
  removedAt: string | null;
  seenAt: string | null;
  address: string;
  version: string;
  /** Seen from two addresses at once: somebody may have copied what lets it in. */
  elsewhere: boolean;
}

export interface InvitedDevice extends Device {
  token: string;
}

/** A device that asks to be let in. */
export interface WaitingDevice {
  kind: DeviceKind;
  /** What it calls itself; empty: nothing. */
  name: string;
  /** The address that it asks from. */
  address: string;
  /** When its code ends. */
  until: string | null;
}

export function waitingOf(value: unknown): WaitingDevice {
  const d = doc(value);
  return {
    kind: word(d["kind"], KINDS),
    name: text(d["name"]),
    address: text(d["from"]),
    until: text(d["expires_at"]) || null,
  };
}

export function deviceOf(value: unknown): Device {
  const d = doc(value);
  return {
    id: text(d["id"]),
    kind: word(d["kind"], KINDS),
    name: text(d["name"]),
    screen: text(d["screen"]),
    person: text(d["person"]),
    unit: text(d["unit"]),
    feed: text(d["feed"]),
    topics: texts(d["topics"]),
    at: text(d["created_at"]) || null,
    by: text(d["created_by"]),
    enrolledAt: text(d["enrolled_at"]) || null,
    until: text(d["expires_at"]) || null,
    removedAt: text(d["removed_at"]) || null,
    seenAt: text(d["last_seen_at"]) || null,
    address: text(d["address"]),
    version: text(d["version"]),
    elsewhere: d["elsewhere"] === true,
  };
}

const ROOT = "/api/v1/devices";

/** What an administrator says of a device; what its kind has not is left out. */
const said = (kind: DeviceKind, d: DeviceDraft) => ({
  name: d.name,
  ...(kind === "wall" && { screen: d.screen }),
  ...(kind === "field" && (d.person ? { person: d.person } : { unit: d.unit })),
  ...(kind === "broker" && {
    feed: d.feed,
    ...(d.topics.length > 0 && { topics: d.topics }),
  }),
});

/** Those that are known, and those that show a code now. */
export interface DeviceList {
  devices: Device[];
  waiting: WaitingDevice[];
}

export async function fetchDevices(): Promise<Answer<DeviceList>> {
  const answer = await call<unknown>("GET", ROOT);
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  const devices = docs(d["items"]).map(deviceOf);
  return {
    ...answer,
    body: { devices, waiting: docs(d["pending"]).map(waitingOf) },
  };
}

export async function inviteDevice(
  kind: DeviceKind,
  draft: DeviceDraft,
): Promise<Answer<InvitedDevice>> {
  const body = { kind, ...said(kind, draft) };
  const answer = await call<unknown>("POST", ROOT, body);
  if (!answer.ok) return answer;
  const token = text(doc(answer.body)["token"]);
  return { ...answer, body: { ...deviceOf(answer.body), token } };
}

export const approveDevice = (
  kind: DeviceKind,
  code: string,
  draft: DeviceDraft,
): Promise<Answer<unknown>> =>
  call("POST", `${ROOT}/approve`, { code, ...said(kind, draft) });

export const removeDevice = (id: string): Promise<Answer<unknown>> =>
  call("DELETE", `${ROOT}/${encodeURIComponent(id)}`);
