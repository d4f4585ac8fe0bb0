// Personal data: what is held and how long, erasing it, and what the notification of a breach needs.
import { call, query, type Answer } from "./call";
import { changeOf, type Change } from "./changes";
import type { Text } from "./profile";
import { count, doc, docs, text, texts, type Doc } from "./read";

/** One line of the data map. */
export interface Holding {
  name: string;
  title: Text;
  whose: Text;
  why: Text;
  basis: Text;
  /** Where the time that they are kept comes from. */
  source: Text;
  leaves: Text;
  personal: boolean;
  /** 0: for ever, where `says` is not lifetime. */
  keepDays: number;
  leastDays: number;
  settable: boolean;
  /** Who says how long: config, changed, lifetime, never. */
  says: string;
  changedAt: string | null;
  where: { keys: string; lifetime: string }[];
  files: string[];
  roles: string[];
}

const words = (value: unknown): Text => {
  const d = doc(value);
  return { id: text(d["id"]), en: text(d["en"]) };
};

export function holdingOf(value: unknown): Holding {
  const d = doc(value);
  return {
    name: text(d["class"]),
    title: words(d["title"]),
    whose: words(d["whose"]),
    why: words(d["why"]),
    basis: words(d["legal_basis"]),
    source: words(d["source"]),
    leaves: words(d["leaves"]),
    personal: d["personal"] === true,
    keepDays: count(d["keep_days"]),
    leastDays: count(d["least_days"]),
    settable: d["settable"] === true,
    says: text(d["from"]),
    changedAt: text(d["changed_at"]) || null,
    where: docs(d["where"]).map((p) => ({
      keys: text(p["keys"]),
      lifetime: text(p["lifetime"]),
    })),
    files: texts(d["files"]),
    roles: texts(d["read_by"]),
  };
}

const ROOT = "/api/v1/privacy";
const SLOW_MS = 60_000;

export async function fetchMap(): Promise<Answer<Holding[]>> {
  const answer = await call<unknown>("GET", `${ROOT}/map`);
  if (!answer.ok) return answer;
  return { ...answer, body: docs(doc(answer.body)["items"]).map(holdingOf) };
}

/** What became of a proposal: `waiting` until a second person agrees. */
function proposed(answer: Answer<unknown>): Answer<Change> {
  if (!answer.ok) return answer;
  return { ...answer, body: changeOf(doc(answer.body)["change"]) };
}

/** `days` 0: for ever. */
export const proposeRetention = async (
  name: string,
  days: number,
  reason: string,
): Promise<Answer<Change>> =>
  proposed(
    await call("PUT", `/api/v1/retention/${encodeURIComponent(name)}`, {
      days,
      reason,
    }),
  );

export interface Erasure {
  /** One of the two. */
  report: string;
  ref: string;
  /** What they said too. */
  words: boolean;
  reason: string;
}

export const proposeErasure = async (e: Erasure): Promise<Answer<Change>> =>
  proposed(
    await call(
      "POST",
      `${ROOT}/erase`,
      {
        ...(e.report ? { report: e.report } : { person_ref: e.ref }),
        ...(e.words && { words: true }),
        reason: e.reason,
      },
      SLOW_MS,
    ),
  );

export interface Seen {
  by: string;
  count: number;
  first: string | null;
  last: string | null;
}

export interface BreachReport {
  notifyBy: string | null;
  seen: Seen[];
  denied: number;
  affected: string[];
  text: Text;
}

export interface BreachAsked {
  from: string;
  to: string;
  known: string;
  what: string;
  done: string;
}

const seenOf = (d: Doc): Seen => ({
  by: text(d["by"]),
  count: count(d["count"]),
  first: text(d["first"]) || null,
  last: text(d["last"]) || null,
});

export async function fetchBreach(
  asked: BreachAsked,
): Promise<Answer<BreachReport>> {
  const { from, to, known, what, done } = asked;
  const answer = await call<unknown>(
    "GET",
    `${ROOT}/breach${query({ from, to, known_at: known, what, done })}`,
    undefined,
    SLOW_MS,
  );
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      notifyBy: text(d["notify_by"]) || null,
      seen: docs(d["seen"]).map(seenOf),
      denied: count(d["denied"]),
      affected: texts(d["affected"]),
      text: words(d["text"]),
    },
  };
}
