// One way to ask the house: an answer, or why there is none. Never throws.

export interface Problem {
  /** What it is, by a word that stays the same: of the wire's PROBLEM_CODES, or of a newer server. */
  code?: string;
  /** In English, for whoever looks after the house. */
  title?: string;
  detail?: string;
  [field: string]: unknown;
}

/** `status` 0: nobody answered, and what was sent may or may not have arrived. */
export type Answer<T> = (
  { ok: true; body: T } | { ok: false; status: number; problem: Problem }
) & {
  /** By the server's clock, whole seconds. */
  at?: number;
  /** Seconds until it may be asked again, where the server says so. */
  wait?: number;
};

const TIMEOUT_MS = 8_000;

async function read(answer: Response): Promise<unknown> {
  try {
    return (await answer.json()) as unknown;
  } catch {
    return {};
  }
}

/** The server's time of an answer, milliseconds since 1970. */
function spoken(answer: Response): { at?: number } {
  const at = Date.parse(answer.headers.get("date") ?? "");
  return Number.isNaN(at) ? {} : { at };
}

function patience(answer: Response): { wait?: number } {
  const wait = Number(answer.headers.get("retry-after"));
  return wait > 0 ? { wait } : {};
}

/** The server wants to see again who asks before it does this. */
export const wantsElevation = (status: number, problem: Problem): boolean =>
  status === 403 && problem.code === "elevate";

let bring: (() => Promise<void>) | null = null;

/** Names who brings the words for problems: they are there before the first problem is handed on. */
export function wordsBy(bringing: (() => Promise<void>) | null): void {
  bring = bringing;
}

/** Waits until there are words for a problem that has a code. */
export async function worded(problem: Problem): Promise<void> {
  if (problem.code) await bring?.();
}

let elevate: (() => Promise<boolean>) | null = null;

/** Names who asks people to show again who they are; answers true where they have. An act that wanted it goes on by itself. */
export function elevateBy(ask: (() => Promise<boolean>) | null): void {
  elevate = ask;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Asks an address of ours; a body makes it JSON. */
export async function call<T>(
  method: Method,
  path: string,
  body?: object,
  timeoutMs = TIMEOUT_MS,
  more: Record<string, string> = {},
): Promise<Answer<T>> {
  const answer = await once<T>(method, path, body, timeoutMs, more);
  if (answer.ok || !elevate) return answer;
  if (!wantsElevation(answer.status, answer.problem)) return answer;
  return (await elevate())
    ? once<T>(method, path, body, timeoutMs, more)
    : answer;
}

async function once<T>(
  method: Method,
  path: string,
  body: object | undefined,
  timeoutMs: number,
  more: Record<string, string>,
): Promise<Answer<T>> {
  const headers: Record<string, string> = {
    accept: "application/json",
    ...more,
  };
  if (body) headers["content-type"] = "application/json";
  try {
    const answer = await fetch(path, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body && { body: JSON.stringify(body) }),
    });
    const document = answer.status === 204 ? {} : await read(answer);
    if (answer.ok) return { ok: true, body: document as T, ...spoken(answer) };
    const { status } = answer;
    const problem = (document ?? {}) as Problem;
    await worded(problem);
    return {
      ok: false,
      status,
      problem,
      ...spoken(answer),
      ...patience(answer),
    };
  } catch {
    return { ok: false, status: 0, problem: {} };
  }
}

/** A query string of what is not empty, with its question mark; nothing where all is. */
export function query(values: Record<string, string | number>): string {
  const given = Object.entries(values).filter(([, v]) => v !== "");
  const text = new URLSearchParams(
    given.map(([k, v]): [string, string] => [k, String(v)]),
  ).toString();
  return text === "" ? "" : `?${text}`;
}
