// /api/v1/audit: the log of acts, its checks and its proofs.
import { call, query, type Answer } from "./call";
import { count, doc, docs, text } from "./read";

export interface Act {
  /** 1 and up, without gaps. */
  seq: number;
  at: string;
  actor: string;
  onBehalf: string;
  agency: string;
  action: string;
  object: string;
  before: string;
  after: string;
  reason: string;
  /** Of words that stand apart; with an empty reason they were erased. */
  reasonHash: string;
  request: string;
}

/** What is asked of the log; empty is everything. Times are RFC 3339. */
export interface Sought {
  from: string;
  to: string;
  /** Of these three the beginning is enough. */
  actor: string;
  action: string;
  object: string;
  agency: string;
  q: string;
}

export interface Difference {
  object: string;
  key: string;
  what: string;
  expected: string;
  found: string;
  since: string;
}

export interface Checked {
  at: string;
  whole: boolean;
  records: number;
  objects: number;
  differences: Difference[];
}

export interface Proven {
  seq: number;
  /** Canonical, byte for byte. */
  record: string;
  proof: string;
}

export interface TicketProofs {
  key: string;
  acts: Proven[];
  /** Acts that no checkpoint covers yet. */
  waiting: number;
}

const ROOT = "/api/v1/audit";
const LONG_MS = 65_000;

const actOf = (value: unknown): Act => {
  const d = doc(value);
  return {
    seq: count(d["seq"]),
    at: text(d["time"]),
    actor: text(d["actor"]),
    onBehalf: text(d["on_behalf_of"]),
    agency: text(d["agency"]),
    action: text(d["action"]),
    object: text(d["object"]),
    before: text(d["before_hash"]),
    after: text(d["after_hash"]),
    reason: text(d["reason"]),
    reasonHash: text(d["reason_hash"]),
    request: text(d["request"]),
  };
};

/** Reads a record's canonical form; null: it is none. */
export function readRecord(record: string): Act | null {
  try {
    return actOf(JSON.parse(record));
  } catch {
    return null;
  }
}

const checkedOf = (value: unknown): Checked => {
  const d = doc(value);
  return {
    at: text(d["at"]),
    whole: d["whole"] === true,
    records: count(d["records"]),
    objects: count(d["objects"]),
    differences: docs(d["differences"]).map((one) => ({
      object: text(one["object"]),
      key: text(one["key"]),
      what: text(one["what"]),
      expected: text(one["expected"]),
      found: text(one["found"]),
      since: text(one["since"]),
    })),
  };
};

const provenOf = (value: unknown): Proven => {
  const d = doc(value);
  return {
    seq: count(d["seq"]),
    record: text(d["record"]),
    proof: text(d["proof"]),
  };
};

async function read<T>(
  asked: Promise<Answer<unknown>>,
  reader: (body: unknown) => T,
): Promise<Answer<T>> {
  const answer = await asked;
  return answer.ok ? { ...answer, body: reader(answer.body) } : answer;
}

export interface ActsPage {
  acts: Act[];
  /** Empty: there are no older ones. */
  next: string;
}

export const fetchActs = (
  sought: Sought,
  page = "",
  limit = 50,
): Promise<Answer<ActsPage>> =>
  read(
    call("GET", ROOT + query({ ...sought, limit, page }), undefined, LONG_MS),
    (body) => ({
      acts: docs(doc(body)["items"]).map(actOf),
      next: text(doc(body)["next_page"]),
    }),
  );

export const fetchChecked = (): Promise<Answer<Checked>> =>
  read(call("GET", `${ROOT}/check`), checkedOf);

/** Holds the whole store against the whole log, now. */
export const checkWhole = (): Promise<Answer<Checked>> =>
  read(call("POST", `${ROOT}/check`, undefined, LONG_MS), checkedOf);

export const fetchProof = (seq: number): Promise<Answer<Proven>> =>
  read(call("GET", `${ROOT}/proof/${String(seq)}`), provenOf);

export const fetchTicketProofs = (
  ticket: string,
): Promise<Answer<TicketProofs>> =>
  read(
    call("GET", `/public/tickets/${encodeURIComponent(ticket)}/proofs`),
    (body) => {
      const d = doc(body);
      return {
        key: text(d["key"]),
        acts: docs(d["acts"]).map(provenOf),
        waiting: count(d["waiting"]),
      };
    },
  );

const TIMEOUT_MS = 8_000;

/** A text and when it was read, by the server's clock where that is said; null: nobody answered. */
async function fetchText(
  path: string,
): Promise<{ text: string; at: number } | null> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(ROOT + path, { signal });
    if (!answer.ok) return null;
    const said = Date.parse(answer.headers.get("date") ?? "");
    return {
      text: await answer.text(),
      at: Number.isNaN(said) ? Date.now() : said,
    };
  } catch {
    return null;
  }
}

/** The last signed checkpoint. Anybody may read it. */
export const fetchCheckpoint = () => fetchText("/checkpoint");

/** The public key of the log. Anybody may read it. */
export const fetchKey = () => fetchText("/key");

/** The records of a search for a spreadsheet; what is taken away is itself in the log. */
export const csvPath = (sought: Sought): string =>
  `${ROOT}/export.csv${query({ ...sought })}`;

/** The whole log, for `kentongan audit verify`. */
export const EXPORT_PATH = `${ROOT}/export.jsonl`;

/** The checkpoints that were kept. */
export const CHECKPOINTS_PATH = `${ROOT}/checkpoints`;
