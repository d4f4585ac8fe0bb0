// What is asked of the log, kept in the page's address.
import type { Sought } from "../../api/audit";

export const EVERYTHING: Sought = {
  from: "",
  to: "",
  actor: "",
  action: "",
  object: "",
  agency: "",
  q: "",
};

/** The names in the address; `q` is another page's there. */
const NAMES: Record<keyof Sought, string> = {
  from: "from",
  to: "to",
  actor: "actor",
  action: "action",
  object: "object",
  agency: "agency",
  q: "words",
};
const FIELDS = Object.keys(NAMES) as (keyof Sought)[];
const MOST = 200;

export function readSought(search: string): Sought {
  const q = new URLSearchParams(search);
  const given = FIELDS.map((f) => [f, (q.get(NAMES[f]) ?? "").slice(0, MOST)]);
  const out = { ...EVERYTHING, ...(Object.fromEntries(given) as Sought) };
  for (const f of ["from", "to"] as const)
    if (Number.isNaN(Date.parse(out[f]))) out[f] = "";
  return out;
}

/** The query with what is asked for; other parameters stay. */
export function writeSought(sought: Sought, search: string): string {
  const q = new URLSearchParams(search);
  for (const f of FIELDS) {
    if (sought[f] === "") q.delete(NAMES[f]);
    else q.set(NAMES[f], sought[f]);
  }
  const text = q.toString();
  return text === "" ? "" : `?${text}`;
}
