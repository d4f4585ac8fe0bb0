// Why something was not done, in the reader's language: by the code of the problem (RFC 9457), never by the server's English.
import { wordsBy, type Problem } from "../api/call";
import { doc, docs, text } from "../api/read";
import { m } from "./paraglide/messages.js";

let told = $state.raw<typeof import("./problem-words") | null>(null);

/** Brings the words; a page that has none yet asks for them with its first problem. Without them a status speaks for itself. */
export async function bringWords(): Promise<void> {
  if (told) return;
  try {
    told = await import("./problem-words");
  } catch {
    // The line is cut: the next problem asks again.
  }
}

wordsBy(bringWords);

/** By the class of a status, where no code is known: of another server, or of something in between. */
function byStatus(status: number): string {
  if (status === 0) return m.prb_no_answer();
  if (status === 401 || status === 403) return m.adm_fault_forbidden();
  if (status === 404 || status === 410) return m.adm_fault_missing();
  if (status === 409 || status === 412) return m.adm_fault_conflict();
  if (status === 429) return m.prb_status_slow();
  if (status >= 500) return m.prb_status_server();
  return m.prb_status_refused();
}

const of = <T>(table: Record<string, T> | undefined, code: string) =>
  table && Object.hasOwn(table, code) ? table[code] : undefined;

const holes = (limit: unknown) => ({ limit: told?.shown(limit) ?? "" });

/** The places that a problem names: the path of each in the body or the query ("grants[0].agency" as "grants.agency"), its code, and the bound that was passed. */
export const placesOf = (
  problem: Problem,
): { path: string; code: string; limit: unknown }[] =>
  docs(problem["errors"]).map((e) => ({
    path: text(e["location"])
      .replace(/^(body|query|path|header)\.?/, "")
      .replace(/\[\d+\]/g, ""),
    code: text(e["code"]),
    limit: e["limit"],
  }));

/** What is wrong, to stand behind the name of a place: "harus diisi". `quoted`: what a compiler or a reader of settings says of it, in its own words. */
export function faultWord(code: string, limit: unknown, quoted = ""): string {
  const words = of(told?.FAULTS, code)?.(holes(limit)) ?? m.prb_at_wrong();
  return quoted === "" ? words : m.prb_quoted({ words, quoted });
}

/** What is wrong at each place, "Nama: harus diisi"; empty: no place is named. */
export const placeWords = (problem: Problem): string[] =>
  placesOf(problem).map(({ path, code, limit }) => {
    const words = faultWord(code, limit);
    const name = path.replace(/^.*\./, "");
    const place = of(told?.NAMES, name)?.() ?? path;
    return place === "" ? words : m.prb_place({ place, words });
  });

/** The code of a problem; empty: it has none. */
export const codeOf = (problem: Problem): string => text(problem["code"]);

/** Whether the store is what did not answer: nothing was asked that could not be. */
export const storeAway = (status: number, problem: Problem): boolean =>
  status === 503 && ["", "unavailable"].includes(codeOf(problem));

/** Whole sentences: what is wrong, and where. */
export function problemWords(status: number, problem: Problem): string {
  const words =
    of(
      told?.WORDS,
      codeOf(problem),
    )?.(holes(doc(problem["params"])["limit"])) ?? byStatus(status);
  const places = placeWords(problem);
  return places.length === 0 ? words : `${words} ${places.join("; ")}.`;
}
