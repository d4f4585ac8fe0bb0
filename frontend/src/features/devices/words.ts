// Devices in words, and the code that one shows as people type it.
import type {
  Device,
  DeviceDraft,
  DeviceKind,
  WaitingDevice,
} from "../../api/devices";
import { instant } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";

const KIND: Record<DeviceKind, () => string> = {
  wall: m.dev_wall,
  field: m.dev_field,
  broker: m.dev_broker,
};
const NOTE: Record<DeviceKind, () => string> = {
  wall: m.dev_wall_note,
  field: m.dev_field_note,
  broker: m.dev_broker_note,
};
export const kindWord = (kind: DeviceKind): string => KIND[kind]();
export const kindNote = (kind: DeviceKind): string => NOTE[kind]();

/** What a screen is pressed on its sign-in page so that it shows its code. */
export const wallChoice = (): string =>
  `${m.who_other_ways()} → ${m.who_is_wall()}`;

const LETTERS = /[^346789BCDFGHJKMNPQRTVWXY]/g;

/** As it is shown: "kbtq93rf" is KBTQ-93RF. Letters that no code has are left out. */
export function codeOf(typed: string): string {
  const plain = typed.toUpperCase().replace(LETTERS, "").slice(0, 8);
  return plain.length > 4 ? `${plain.slice(0, 4)}-${plain.slice(4)}` : plain;
}

export const wholeCode = (code: string): boolean => code.length === 9;

/** Whether enough is said of a device of a kind. */
export function said(kind: DeviceKind, d: DeviceDraft): boolean {
  if (d.name.trim() === "") return false;
  if (kind === "wall") return d.screen.trim() !== "";
  if (kind === "broker") return d.feed !== "";
  return d.person !== "" || d.unit.trim() !== "";
}

/** The name of a screen out of what people call it: "Dinding Utara 1" is dinding-utara-1. */
export const screenFrom = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);

export type DeviceState = "removed" | "waiting" | "lapsed" | "known" | "over";

export function stateOf(d: Device, now: number): DeviceState {
  if (d.removedAt !== null) return "removed";
  const ended = (instant(d.until) ?? Infinity) <= now;
  if (d.enrolledAt === null) return ended ? "lapsed" : "waiting";
  return ended ? "over" : "known";
}

/** Those that are in use first, the newest first. */
export const inOrder = (list: readonly Device[], now: number): Device[] => {
  const rank = (d: Device) =>
    ["waiting", "known"].includes(stateOf(d, now)) ? 0 : 1;
  return [...list].sort(
    (a, b) => rank(a) - rank(b) || (instant(b.at) ?? 0) - (instant(a.at) ?? 0),
  );
};

/** Those whose code still holds, the one that ends first before. */
export const asking = (
  list: readonly WaitingDevice[],
  now: number,
): WaitingDevice[] => {
  const ends = (w: WaitingDevice) => instant(w.until) ?? Infinity;
  return list.filter((w) => ends(w) > now).sort((a, b) => ends(a) - ends(b));
};

const COMES_MS = 60_000;

/** Whether a device was let in so lately that it may come at any moment. */
export const comes = (d: Device, now: number): boolean =>
  stateOf(d, now) === "waiting" && now - (instant(d.at) ?? 0) < COMES_MS;
