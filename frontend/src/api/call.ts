// One way to ask the house: an answer, or why there is none. Never throws.

export interface Problem {
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

/** Asks an address of ours; a body makes it JSON. */
export async function call<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: object,
  timeoutMs = TIMEOUT_MS,
): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: "application/json" };
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
    return { ok: false, status, problem, ...spoken(answer) };
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
