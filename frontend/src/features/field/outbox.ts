// The outbox of a phone: which act is sent next, what an answer makes of it, and how things stand until the house has heard. Pure.
import type { Answer, Problem } from "../../api/call";
import { doc, text } from "../../api/read";
import { instant } from "../../i18n/instant";
import type { Dispatch, DispatchStatus, Victims } from "../../wire/wire";

/** What a crew does to its dispatch. */
export type Step = "accepted" | "declined" | "en_route" | "on_scene" | "done";

/**
 * What has become of an act. `already`: the house had it so from somebody else. `conflict`: things had moved on. `refused`: the house will not take it.
 * Only `waiting` is sent.
 */
export type Fate = "waiting" | "sent" | "already" | "conflict" | "refused";

/** What the house wants to hear with it that an incident is over. */
export interface Resolution {
  outcome: string;
  cause: string;
  victims: Victims;
}

interface Written {
  /** Order in which it was done on this phone. */
  seq: number;
  /** Idempotency-Key: a repeated call is done once. */
  key: string;
  /** When it was done, by the house's clock as far as it is known. */
  at: string;
  /** Who did it: only under their own session is it sent. */
  by: string;
  incident: string;
  dispatch: string;
  /** What the incident was called. */
  title: string;
  fate: Fate;
  /** How often it was tried in vain. */
  tries: number;
  /** Not before this instant; milliseconds since 1970. */
  next: number;
  /** When the house took it, or said that it will not. */
  told: string | null;
  /** Of a conflict: where the dispatch stood instead. */
  stands?: string;
  /** Why the house did not take it: with words in the language in which it is read. */
  why?: { status: number; problem: Problem };
  /** Of a call for help that waits on: the status with which the house did not take it last. */
  denied?: number;
  /** Somebody has read what became of it. */
  read?: boolean;
}

export type Act = Written &
  (
    | { kind: "step"; to: Step; reason?: string }
    /** `says`: what is sent, chosen once, so that a repeated call says the same. */
    | { kind: "note"; text: string; says?: string }
    /** The picture leaves the phone once the house has it. */
    | { kind: "photo"; photo: Blob | null; bytes: number }
    /** That the incident is over, as the house asks it of whoever says so. */
    | ({ kind: "resolve" } & Resolution)
    /** A call for help; of no dispatch and no incident. */
    | { kind: "panic"; unit: string; lng?: number; lat?: number }
    /** The answer to a roll call. */
    | { kind: "well"; unit: string }
  );

type Part<A> = A extends Act
  ? Omit<A, "seq" | "key" | "fate" | "tries" | "next" | "told">
  : never;
/** An act as it is done, before it has a place in the outbox. */
export type Doing = Part<Act>;

const FIRST_MS = 2_000;
const MOST_MS = 300_000;
/** A call for help is tried again at least so often. */
const URGENT_MS = 10_000;
/** How long a call for help may be taken back before it leaves the phone. */
export const GRACE_MS = 5_000;
const KEPT_SENT_MS = 24 * 3_600_000;
const KEPT_READ_MS = 7 * KEPT_SENT_MS;

/** How long to wait after the given number of tries; `chance` (0..1) spreads phones that found the network together. */
export const backoff = (tries: number, chance: number): number =>
  Math.round(
    Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(tries, 20)) *
      (0.8 + 0.4 * chance),
  );

const waiting = (a: Act): boolean => a.fate === "waiting";
/** What waits for nothing else on the phone, and goes a way of its own. */
export const urgent = (a: Act): boolean => a.kind === "panic";
const bySeq = (a: Act, b: Act): number => a.seq - b.seq;

/** The first that waits of each incident, in order: behind it nothing of the same incident goes. */
export function heads(acts: readonly Act[], who: string): Act[] {
  const seen = new Set<string>();
  return acts
    .filter((a) => waiting(a) && !urgent(a) && a.by === who)
    .sort(bySeq)
    .filter((a) => !seen.has(a.incident) && seen.add(a.incident));
}

const WELL_MS = 300_000;

/** Answers to a roll call that are too old to be true now, as not taken: the house would stamp them with the time of their coming. `house`: its clock. */
export const stale = (acts: readonly Act[], house: number): Act[] =>
  acts
    .filter((a) => a.kind === "well" && waiting(a))
    .filter((a) => house - (instant(a.at) ?? house) > WELL_MS)
    .map((a) => ({
      ...a,
      fate: "conflict",
      told: new Date(house).toISOString(),
    }));

/** What may be sent now. That a crew is well goes before all else: somebody waits for it, and it is true for minutes only. */
export function due(
  acts: readonly Act[],
  who: string,
  now: number,
): Act | undefined {
  const may = heads(acts, who).filter((a) => a.next <= now);
  return may.find((a) => a.kind === "well") ?? may[0];
}

/** When something is due next, milliseconds since 1970; null: nothing waits for a try. */
export function nextTry(acts: readonly Act[], who: string): number | null {
  const at = heads(acts, who).map((a) => a.next);
  return at.length === 0 ? null : Math.min(...at);
}

/** The call for help that waits, due or not. */
export const callOf = (
  acts: readonly Act[],
): Extract<Act, { kind: "panic" }> | undefined =>
  acts.find((a) => a.kind === "panic" && waiting(a)) as
    Extract<Act, { kind: "panic" }> | undefined;

/** Milliseconds in which a call for help can still be taken back; 0: it has left, or is about to. */
export const graceLeft = (act: Act, now: number): number =>
  act.tries === 0 && act.next - now <= GRACE_MS
    ? Math.max(0, act.next - now)
    : 0;

/** Milliseconds until a call for help is due. One that would pause longer than calls do was set by a clock that has gone back since: it is due. */
export const cryIn = (next: number, now: number): number =>
  next - now > URGENT_MS ? 0 : Math.max(0, next - now);

/** The call for help that the house has refused for good, and nobody has read that yet. */
export const lostCall = (acts: readonly Act[]): Act | undefined =>
  unread(acts).find((a) => a.kind === "panic");

/** Whether the house has heard the answer to the roll call of an instant; `waiting`: the phone has it still; `none`: none was given. */
export function wellTo(
  asked: number,
  acts: readonly Act[],
): "none" | "waiting" | "told" {
  const given = acts.filter(
    (a) => a.kind === "well" && (instant(a.at) ?? 0) >= asked,
  );
  if (given.some((a) => a.fate === "sent" || a.fate === "already"))
    return "told";
  return given.some(waiting) ? "waiting" : "none";
}

/** Somebody says that the network is back: nothing waits for its pause any more. */
export const impatient = (acts: readonly Act[]): Act[] =>
  acts
    .filter((a) => waiting(a) && !urgent(a) && a.next > 0)
    .map((a) => ({ ...a, next: 0 }));

const BUSY = [408, 425, 429];
/** A right or a session may come back: a call for help outlasts them. */
const DENIED = [401, 403, 404];
const later = (status: number): boolean =>
  status === 0 || status >= 500 || BUSY.includes(status);

/** What an answer makes of an act. `now`: milliseconds since 1970; `chance`: 0..1. */
export function settle(
  act: Act,
  answer: Answer<unknown>,
  now: number,
  chance: number,
): Act {
  const told = new Date(answer.at ?? now).toISOString();
  if (answer.ok) {
    const sent: Act = { ...act, fate: "sent", told };
    return sent.kind === "photo" ? { ...sent, photo: null } : sent;
  }
  const { status, problem } = answer;
  const denied = DENIED.includes(status);
  if (urgent(act) && (denied || later(status))) {
    const pause = Math.min(URGENT_MS, backoff(act.tries, chance));
    return {
      ...act,
      tries: act.tries + 1,
      next: now + pause,
      ...(denied && { denied: status }),
    };
  }
  if (status === 401) return act;
  if (later(status)) {
    const pause = Math.max(
      (answer.wait ?? 0) * 1_000,
      backoff(act.tries, chance),
    );
    return { ...act, tries: act.tries + 1, next: now + pause };
  }
  const { code, params, errors } = problem;
  const why = {
    status,
    problem: { ...(code && { code }), params, errors },
  };
  if (status === 409) {
    const stands = text(doc(problem["current"])["status"]);
    const wanted =
      act.kind === "step" ? act.to : act.kind === "resolve" ? "resolved" : "";
    if (wanted !== "" && stands === wanted) {
      return { ...act, fate: "already", told };
    }
    return { ...act, fate: "conflict", told, stands, why };
  }
  return { ...act, fate: "refused", told, why };
}

/** The house stamps what is said when it hears it: a note that comes later than this begins with its own time. */
const LATE_MS = 60_000;

/** A note as it is sent, with the time of the act where that is not the time of its coming; any other act as it is. */
export function said(
  act: Act,
  now: number,
  clock: (ms: number) => string,
): Act {
  if (act.kind !== "note" || act.says !== undefined) return act;
  const at = instant(act.at) ?? now;
  const says = now - at < LATE_MS ? act.text : `${clock(at)}: ${act.text}`;
  return { ...act, says };
}

/** After which answers nothing else is worth a try now: nobody is there, or nobody knows us. */
export const stops = (answer: Answer<unknown>): boolean =>
  !answer.ok && (answer.status === 0 || answer.status === 401);

/** Acts that have been told long enough, so that they may leave the phone. What was not taken stays until somebody has read it. */
export function spent(acts: readonly Act[], now: number): Act[] {
  return acts.filter((a) => {
    const age = now - (instant(a.told) ?? now);
    if (a.fate === "sent" || a.fate === "already") return age > KEPT_SENT_MS;
    return a.read === true && age > KEPT_READ_MS;
  });
}

const FOLLOWS: Partial<Record<DispatchStatus, readonly Step[]>> = {
  offered: ["accepted", "declined", "en_route"],
  accepted: ["en_route", "declined"],
  en_route: ["on_scene"],
  on_scene: ["done"],
};

/** Steps of a dispatch that wait to be sent, in order. */
const steps = (dispatch: string, acts: readonly Act[]) =>
  acts
    .filter((a) => a.kind === "step" && a.dispatch === dispatch && waiting(a))
    .sort(bySeq) as Extract<Act, { kind: "step" }>[];

/** Where a dispatch stands by what the crew has done, though the house may not know yet. */
export function standing(d: Dispatch, acts: readonly Act[]): DispatchStatus {
  let at = d.status;
  for (const step of steps(d.id, acts)) {
    if (FOLLOWS[at]?.includes(step.to)) at = step.to;
  }
  return at;
}

/** When it came to stand so, milliseconds since 1970: as the crew did it, or as the house knows. */
export function stoodSince(d: Dispatch, acts: readonly Act[]): number | null {
  const status = standing(d, acts);
  const own = steps(d.id, acts).findLast((a) => a.to === status);
  return instant(own?.at ?? d.times[status]);
}

/**
 * When an act is done, by the house's clock: never before the step before it, which the house would not believe. `ahead` is what the house's
 * clock shows more than the phone's.
 */
export function stamp(
  now: number,
  ahead: number,
  d: Dispatch | null,
  acts: readonly Act[],
): string {
  const before = d
    ? [
        ...Object.values(d.times).map((t: string | null) => instant(t) ?? 0),
        ...steps(d.id, acts).map((a) => instant(a.at) ?? 0),
      ]
    : [];
  return new Date(Math.max(now + ahead, ...before)).toISOString();
}

const RANK: Partial<Record<DispatchStatus, number>> = {
  on_scene: 0,
  en_route: 1,
  accepted: 2,
  offered: 3,
};

/** The one task: what is furthest on its way, the oldest first; an offer that has run out is none. */
export function taskOf(
  dispatches: readonly Dispatch[],
  acts: readonly Act[],
): Dispatch | null {
  const open = dispatches
    .map((d) => ({ d, rank: RANK[standing(d, acts)] ?? null }))
    .filter((o): o is { d: Dispatch; rank: number } => o.rank !== null)
    .sort((a, b) => a.rank - b.rank || (a.d.id < b.d.id ? -1 : 1));
  return open[0]?.d ?? null;
}

/** The crew has said that the incident is over, and the house has not heard it yet. */
export const resolving = (incident: string, acts: readonly Act[]): boolean =>
  acts.some(
    (a) => a.kind === "resolve" && a.incident === incident && waiting(a),
  );

/** How much waits, and what of it is not this person's to send. */
export function load(acts: readonly Act[], who: string) {
  const all = acts.filter(waiting);
  return {
    count: all.length,
    bytes: all.reduce((n, a) => n + (a.kind === "photo" ? a.bytes : 0), 0),
    strange: all.filter((a) => a.by !== who).length,
  };
}

/** What was not taken and nobody has read yet. */
export const unread = (acts: readonly Act[]): Act[] =>
  acts.filter(
    (a) => (a.fate === "conflict" || a.fate === "refused") && a.read !== true,
  );
