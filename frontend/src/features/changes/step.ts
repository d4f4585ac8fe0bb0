// What a change is about, before and after it, in words of whoever decides.
import type { Change } from "../../api/changes";
import { grantsOf } from "../../api/people";
import { count, text } from "../../api/read";
import { number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import { grantWords, type Names } from "../people/roles";

export interface Step {
  /** What kind of change it is. */
  kind: string;
  /** Whom or what it is about. */
  about: string;
  /** One line each; what stays and what changes is told apart by comparing. */
  before: string[];
  after: string[];
  /** What its proposer says of it. */
  why: string;
}

export interface Place {
  names: Names;
  subject: (subject: string) => string;
  className: (name: string) => string;
}

export const days = (n: number): string =>
  n === 0 ? m.prv_for_ever() : m.prv_days({ count: number(n, 1) });

/** "reporters: 90 -> 30 days; because": what was, and why. */
const SUMMARY = /^[^:]+: ([\d.e+]+) -> \d+ days; ?(.*)$/s;

export function stepOf(change: Change, place: Place): Step {
  const d = change.doc;
  switch (change.kind) {
    case "roles": {
      const words = (value: unknown) => {
        const grants = grantsOf(value);
        return grants.length > 0
          ? grants.map((g) => grantWords(g, place.names))
          : [m.ppl_no_role()];
      };
      const unit = text(d["unit"]);
      return {
        kind: m.chg_kind_roles(),
        about: place.subject(`user:${text(d["person"])}`),
        before: words(d["seen"]),
        after: [...words(d["grants"]), ...(unit ? [m.chg_unit({ unit })] : [])],
        why: "",
      };
    }
    case "retention": {
      const found = SUMMARY.exec(change.summary);
      return {
        kind: m.chg_kind_retention(),
        about: place.className(text(d["class"])),
        before: found ? [days(Number(found[1]))] : [],
        after: [days(count(d["days"]))],
        why: found?.[2] ?? "",
      };
    }
    case "erasure": {
      const report = text(d["report"]);
      return {
        kind: m.chg_kind_erasure(),
        about: report
          ? m.chg_of_report({ id: report })
          : m.chg_of_person({ ref: text(d["person_ref"]) }),
        before: [m.chg_kept()],
        after: [
          d["words"] === true ? m.chg_erased_words() : m.chg_erased_reporter(),
        ],
        why: text(d["reason"]),
      };
    }
  }
  return {
    kind: change.kind,
    about: change.about.map(place.subject).join(", "),
    before: [],
    after: [change.summary],
    why: "",
  };
}

/** Why whoever looks may not decide it; empty: they may. */
export function whyNotYours(change: Change, me: string): string {
  if (change.decides || change.state !== "waiting") return "";
  if (change.yours) return m.chg_not_own();
  return change.about.includes(me) ? m.chg_not_about_you() : m.chg_not_yours();
}
