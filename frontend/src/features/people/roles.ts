// Roles and where they hold, in words: what somebody is, and in one sentence what they will be able to do.
import type { Grant } from "../../api/people";
import { clockTime, instant, longDate, number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import { roleWord } from "./role";

export { roleWord } from "./role";

const DOES: Record<string, () => string> = {
  calltaker: m.ppl_does_calltaker,
  operator: m.ppl_does_operator,
  dispatcher: m.ppl_does_dispatcher,
  supervisor: m.ppl_does_supervisor,
  liaison: m.ppl_does_liaison,
  field: m.ppl_does_field,
  leader: m.ppl_does_leader,
  pio: m.ppl_does_pio,
  admin: m.ppl_does_admin,
  auditor: m.ppl_does_auditor,
};

/** How the screen names what a grant points at. */
export interface Names {
  agency: (slug: string) => string;
  type: (code: string) => string;
  /** Codes of the types that only people named for them may see. */
  restricted: readonly string[];
  zone: string;
  now: number;
}

/** Roles that mean nothing without an agency. */
export const needsAgency = (role: string): boolean =>
  role === "liaison" || role === "field";

/** Roles that read the audit log or set up the house: whoever holds one acts on no incident. */
export const keepsOut = (role: string): boolean =>
  role === "admin" || role === "auditor";

const ACTS = [
  "calltaker",
  "operator",
  "dispatcher",
  "supervisor",
  "liaison",
  "field",
];

/** "A", "A dan B", "A, B dan C"; more than `most` are counted. */
export function listed(words: readonly string[], most = 4): string {
  const shown = words.slice(0, words.length > most ? most - 1 : most);
  const rest = words.length - shown.length;
  const all =
    rest > 0 ? [...shown, m.ppl_more({ count: number(rest, 0) })] : shown;
  const last = all.at(-1) ?? "";
  return all.length < 2
    ? last
    : m.ppl_and({ first: all.slice(0, -1).join(", "), last });
}

export const over = (grant: Grant, now: number): boolean =>
  (instant(grant.until) ?? Infinity) <= now;

/** Where and until when a grant holds; empty: everywhere, for good. */
export function boundsOf(grant: Grant, names: Names): string {
  const until = instant(grant.until);
  return [
    grant.agency ? m.ppl_of_agency({ name: names.agency(grant.agency) }) : "",
    grant.areas.length > 0
      ? m.ppl_in_areas({ names: listed(grant.areas) })
      : "",
    grant.types.length > 0
      ? m.ppl_only_types({ names: listed(grant.types.map(names.type)) })
      : "",
    until === null
      ? ""
      : over(grant, names.now)
        ? m.ppl_was_until({ time: moment(until, names.zone) })
        : m.ppl_until({ time: moment(until, names.zone) }),
  ]
    .filter(Boolean)
    .join(", ");
}

const moment = (at: number, zone: string) =>
  `${longDate(at, zone)} ${clockTime(at, zone)}`;

/** "petugas penugasan, untuk BPBD, di Kubung". */
export function grantWords(grant: Grant, names: Names): string {
  const bounds = boundsOf(grant, names);
  return bounds ? `${roleWord(grant.role)}, ${bounds}` : roleWord(grant.role);
}

/** What somebody with these roles will be able to do, in one sentence, and what not although one might think so. */
export function ability(
  name: string,
  grants: readonly Grant[],
  names: Names,
): string {
  const alive = grants.filter((g) => !over(g, names.now));
  if (alive.length === 0) return m.ppl_can_nothing({ name });
  const clauses = alive.map((g) => {
    const does = DOES[g.role]?.() ?? g.role;
    const bounds = boundsOf(g, names);
    return bounds ? `${does} (${bounds})` : does;
  });
  const acts = alive.some((g) => ACTS.includes(g.role));
  const keeper = alive.find((g) => keepsOut(g.role));
  const shut = names.restricted.filter(
    (code) => !alive.some((g) => g.types.includes(code)),
  );
  return [
    m.ppl_can({ name, what: clauses.join("; ") }),
    acts && keeper ? m.ppl_kept_out({ role: roleWord(keeper.role) }) : "",
    acts && !keeper && shut.length > 0
      ? m.ppl_types_shut({ names: listed(shut.map(names.type)) })
      : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** Whether two lists of roles say the same. */
export const sameGrants = (a: readonly Grant[], b: readonly Grant[]): boolean =>
  JSON.stringify(a.map(plain)) === JSON.stringify(b.map(plain));

const plain = (g: Grant) => [
  g.role,
  g.agency,
  [...g.areas].sort(),
  [...g.types].sort(),
  instant(g.until),
];
