import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Act } from "./outbox";

const phone = vi.hoisted(() => ({ acts: [] as Act[], sent: [] as unknown[] }));
vi.mock("./keep", () => ({
  readActs: () => Promise.resolve([...phone.acts]),
  readKnown: () => Promise.resolve(undefined),
  writeKnown: () => Promise.resolve(),
  writeActs: (now: Act[]) => {
    phone.acts = phone.acts.map((a) => now.find((n) => n.seq === a.seq) ?? a);
    return Promise.resolve();
  },
  dropActs: (gone: Act[]) => {
    phone.acts = phone.acts.filter((a) => !gone.some((g) => g.seq === a.seq));
    return Promise.resolve();
  },
}));
vi.mock("../../api/call", () => ({
  call: (_: string, __: string, body: unknown) => {
    phone.sent.push(body);
    return Promise.resolve({ ok: true, body: {} });
  },
}));
const { locate, seeOut, sendUrgent, takeBack } = await import("./post");

const AT = Date.parse("2026-11-22T07:00:00Z");
const help = (next: number, tries = 0): Act => ({
  seq: 1,
  key: "k",
  at: new Date(AT).toISOString(),
  by: "user:rina",
  incident: "",
  dispatch: "",
  title: "",
  fate: "waiting",
  tries,
  next,
  told: null,
  kind: "panic",
  unit: "bpbd/trc-1",
});

beforeEach(() => {
  vi.useFakeTimers({ now: AT });
  phone.sent = [];
});
afterEach(() => {
  vi.useRealTimers();
});

it("a call for help leaves when its grace is over, though the page is gone", async () => {
  phone.acts = [help(AT + 5_000)];
  const out = seeOut();
  await vi.advanceTimersByTimeAsync(4_900);
  expect(phone.sent).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(await out).toBeNull();
  expect(phone.sent).toHaveLength(1);
});

it("hurry sends what pauses, and nothing that can be taken back", async () => {
  phone.acts = [help(AT + 5_000)];
  expect(await sendUrgent(true)).toBe(AT + 5_000);
  phone.acts = [help(AT + 5_000, 2)];
  expect(await sendUrgent()).toBe(AT + 5_000);
  expect(await sendUrgent(true)).toBeNull();
  expect(phone.sent).toHaveLength(1);
});

it("within its grace a call for help learns its place and can be taken back, and no later", async () => {
  phone.acts = [help(AT + 5_000)];
  await locate({ lng: 106.8, lat: -6.2 });
  expect(phone.acts[0]).toMatchObject({ lng: 106.8, lat: -6.2 });
  await takeBack();
  expect(phone.acts).toEqual([]);
  phone.acts = [help(AT)];
  await locate({ lng: 106.8, lat: -6.2 });
  await takeBack();
  expect(phone.acts).toEqual([help(AT)]);
});
