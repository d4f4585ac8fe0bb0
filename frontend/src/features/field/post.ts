// Sends the outbox: by the page while it is open, by the service worker while it is not; never by both at once.
import { call, type Answer } from "../../api/call";
import { doc, text } from "../../api/read";
import { dropActs, readActs, readKnown, writeActs, writeKnown } from "./keep";
import {
  callOf,
  cryIn,
  due,
  graceLeft,
  impatient,
  nextTry,
  said,
  settle,
  spent,
  stale,
  stops,
  urgent,
  type Act,
} from "./outbox";

const LOCK = "kentongan.field.outbox";
const URGENT_LOCK = "kentongan.field.urgent";
/** Told whenever something in the outbox has changed. */
export const CHANNEL = "kentongan.field";
/** The tag of a background sync. */
export const SYNC = "outbox";

const PHOTO_MS = 120_000;
const SEND_MS = 15_000;
const URGENT_MS = 8_000;

const part = (id: string) => encodeURIComponent(id);

async function photo(
  act: Extract<Act, { kind: "photo" }>,
): Promise<Answer<unknown>> {
  const asked = new URLSearchParams({ kind: "photo", taken_at: act.at });
  return raw(
    `/api/v1/incidents/${part(act.incident)}/attachments?${asked.toString()}`,
    act.photo ?? new Blob(),
    act.key,
  );
}

/** A body that is no JSON. */
async function raw(
  path: string,
  body: Blob,
  key: string,
): Promise<Answer<unknown>> {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": body.type,
        "idempotency-key": key,
      },
      body,
      signal: AbortSignal.timeout(PHOTO_MS),
    });
    const said = (await answer.json().catch(() => ({}))) as object;
    const at = Date.parse(answer.headers.get("date") ?? "");
    const wait = Number(answer.headers.get("retry-after"));
    const when = Number.isNaN(at) ? {} : { at };
    return answer.ok
      ? { ok: true, body: said, ...when }
      : {
          ok: false,
          status: answer.status,
          problem: { ...said },
          ...when,
          ...(wait > 0 && { wait }),
        };
  } catch {
    return { ok: false, status: 0, problem: {} };
  }
}

/** Tells the house of one act. */
export function post(act: Act): Promise<Answer<unknown>> {
  const key = { "idempotency-key": act.key };
  switch (act.kind) {
    case "step":
      return call(
        "POST",
        `/api/v1/dispatches/${part(act.dispatch)}/transitions`,
        { to: act.to, at: act.at, ...(act.reason && { reason: act.reason }) },
        SEND_MS,
        key,
      );
    case "note":
      return call(
        "POST",
        `/api/v1/incidents/${part(act.incident)}/comments`,
        { text: act.says ?? act.text },
        SEND_MS,
        key,
      );
    case "photo":
      return photo(act);
    case "resolve":
      return call(
        "POST",
        `/api/v1/incidents/${part(act.incident)}/transitions`,
        {
          to: "resolved",
          at: act.at,
          outcome: act.outcome,
          cause: act.cause,
          victims: act.victims,
        },
        SEND_MS,
        key,
      );
    case "panic":
      return help(act, act.at);
    case "well":
      return call("POST", `${unitAt(act.unit)}/rollcall`, {}, SEND_MS, key);
  }
}

const unitAt = (id: string) =>
  `/api/v1/units/${id.split("/").map(part).join("/")}`;

/** A phone's clock may be wrong, and a call for help must not wait for it: then it is made now. */
async function help(
  act: Extract<Act, { kind: "panic" }>,
  at: string | null,
): Promise<Answer<unknown>> {
  const { key, unit, lng, lat } = act;
  const answer = await call<unknown>(
    "POST",
    `${unitAt(unit)}/panic`,
    {
      ...(at !== null && { at }),
      ...(lng !== undefined && { lng, lat }),
    },
    URGENT_MS,
    { "idempotency-key": key },
  );
  return !answer.ok && answer.status === 422 && at !== null
    ? help(act, null)
    : answer;
}

/** How far sending came. */
export interface Round {
  /** When to try again, milliseconds since 1970; null: nothing waits. */
  next: number | null;
  /** Of the last answer: 0 where nobody answered; null: nothing was sent. */
  status: number | null;
  /** How many acts have had their answer. */
  sent: number;
}

/** Who the house says we are now; empty: nobody, or nobody answers. The phone may have passed to somebody else since the acts were done. */
async function whoSends(): Promise<{
  who: string;
  status: number;
  at: number | undefined;
}> {
  const answer = await call<unknown>("GET", "/api/v1/session");
  return answer.ok
    ? { who: text(doc(answer.body)["subject"]), status: 200, at: answer.at }
    : { who: "", status: answer.status, at: undefined };
}

/** "14.05", as the house writes it; the worker has no language of its own. */
const shortClock = (ms: number, zone: string | undefined): string =>
  new Intl.DateTimeFormat("id-ID", {
    hour: "2-digit",
    minute: "2-digit",
    ...(zone && { timeZone: zone }),
  }).format(ms);

let channel: BroadcastChannel | null = null;

/** Tells the pages of this phone that the outbox has changed. */
export function tell(): void {
  channel ??= new BroadcastChannel(CHANNEL);
  channel.postMessage("acts");
}

async function round(hurry: boolean): Promise<Round> {
  let acts = await readActs();
  const known = (await readKnown<string>("subject")) ?? "";
  await dropActs(spent(acts, Date.now()));
  if (!acts.some((a) => a.fate === "waiting" && !urgent(a)))
    return { next: null, status: null, sent: 0 };
  const { who, status, at } = await whoSends();
  if (who === "") return { next: nextTry(acts, known), status, sent: 0 };
  if (who !== known) await writeKnown("subject", who);
  if (hurry) {
    await writeActs(impatient(acts));
    acts = await readActs();
  }
  if (at !== undefined) {
    await writeActs(stale(acts, at));
    acts = await readActs();
  }
  let last = status;
  let sent = 0;
  const zone = (await readKnown<{ zone: string }>("place"))?.zone;
  const clock = (ms: number) => shortClock(ms, zone);
  for (;;) {
    const first = due(acts, who, Date.now());
    if (!first) break;
    const act = said(first, Date.now(), clock);
    if (act !== first) await writeActs([act]);
    const answer = await post(act);
    const now = settle(act, answer, Date.now(), Math.random());
    await writeActs([now]);
    tell();
    last = answer.ok ? 200 : answer.status;
    if (stops(answer)) break;
    if (now.fate !== "waiting") sent++;
    acts = await readActs();
  }
  return { next: nextTry(await readActs(), who), status: last, sent };
}

/** Calls for help go on their own: no photo is before them, and whoever is signed in may send them. */
async function cry(hurry: boolean): Promise<number | null> {
  const act = callOf(await readActs());
  if (!act) return null;
  const at = Date.now();
  const pause = cryIn(act.next, at);
  if (pause > 0 && (!hurry || graceLeft(act, at) > 0)) return at + pause;
  const answer = await post(act);
  const now = settle(act, answer, Date.now(), Math.random());
  await writeActs([now]);
  tell();
  return callOf(await readActs())?.next ?? null;
}

const under = new Map<string, Promise<unknown>>();

/** One after the other, whoever of this phone asks. */
function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Without TLS there are no locks, and no service worker that would need one.
  if ("locks" in navigator) return navigator.locks.request(name, work);
  const mine = (under.get(name) ?? Promise.resolve()).then(work, work);
  under.set(name, mine);
  return mine;
}

/**
 * Sends what is due, in order within each incident. Waits where somebody else of this phone is sending. `hurry`: what pauses is tried at once.
 */
export const send = (hurry = false): Promise<Round> =>
  alone(LOCK, () => round(hurry));

/** Sends a call for help that is due; answers when to try again, null: none waits. `hurry`: also one that pauses, but none that can be taken back. */
export const sendUrgent = (hurry = false): Promise<number | null> =>
  alone(URGENT_LOCK, () => cry(hurry));

const PATIENCE_MS = 10_000;

/** Sends a call for help for a page that may be gone: waits once, ten seconds at most, for one that is not due yet. */
export async function seeOut(): Promise<number | null> {
  const next = await sendUrgent();
  if (next === null) return null;
  const pause = Math.min(PATIENCE_MS, Math.max(0, next - Date.now()));
  await new Promise((done) => setTimeout(done, pause));
  return sendUrgent();
}

/** The call for help that can still be taken back; none is once it is being sent. */
async function held() {
  const act = callOf(await readActs());
  return act && graceLeft(act, Date.now()) > 0 ? act : undefined;
}

/** Takes back a call for help that has not left the phone. */
export const takeBack = (): Promise<void> =>
  alone(URGENT_LOCK, async () => {
    const act = await held();
    if (act) await dropActs([act]);
  });

/** Says of a call for help that has not left the phone where it is. */
export const locate = (at: { lng: number; lat: number }): Promise<void> =>
  alone(URGENT_LOCK, async () => {
    const act = await held();
    if (act) await writeActs([{ ...act, lng: at.lng, lat: at.lat }]);
  });
