// Suggestions in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import { fixed, number } from "../../i18n/format";
import type {
  Incident,
  JoinReason,
  Severity,
  Suggestion,
} from "../../wire/wire";
import { shortNumber } from "../incidents/rank";
import { severityLabel } from "../incidents/words";

const REASON: Record<string, () => string> = {
  same_type: m.fus_same_type,
  kin_type: m.fus_kin_type,
  near: m.fus_near,
  far: m.fus_near,
  soon: m.fus_soon,
  late: m.fus_soon,
  standing: m.fus_standing,
  independent: m.fus_independent,
  words: m.fus_words,
  severity: m.fus_severity,
  accounts: m.fus_accounts,
  coarse: m.fus_coarse,
  seen: m.fus_seen,
  out_of_area: m.fus_out_of_area,
};

/** "120 m" and "12 min" in the screen's language, a severity in its word; anything else by its name. */
function valueWord(
  code: string,
  value: string,
  named: (code: string) => string,
): string {
  if (code === "severity") return severityLabel(value as Severity);
  const figure = /^(\d+) (m|min)$/.exec(value);
  if (figure)
    return `${number(Number(figure[1]), 0)} ${figure[2] === "m" ? "m" : m.unit_minute()}`;
  return value.split("/").map(named).join(", ");
}

/** An id of the house (ULID), which tells nobody anything. */
const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** A reason with what it rests on: "same type: Flood". A kind that this screen does not know is told in the house's own words. */
export function reasonWord(
  reason: Pick<JoinReason, "code" | "text" | "value">,
  named: (code: string) => string,
): string {
  const word = REASON[reason.code]?.();
  if (word === undefined) return reason.text;
  return reason.value && !ID.test(reason.value)
    ? `${word}: ${valueWord(reason.code, reason.value, named)}`
    : word;
}

/** The sentences of alerts/fusion in which an incident keeps why a piece joined, each with its code. */
const SAID: readonly [RegExp, code: string][] = [
  [/^same type: (\w+)$/, "same_type"],
  [/^(\w+) may be told as (\w+) \(group \w+\)$/, "kin_type"],
  [/^(\d+ m) apart(?:, of .+)?$/, "near"],
  [/^(\d+ min) apart(?:, of .+)?$/, "soon"],
  [/^an instrument still tells of it$/, "standing"],
  [/^a source that has not spoken of it yet$/, "independent"],
  [/^(\d+) telling words in common$/, "words"],
  [/^as severe: (\w+)$/, "severity"],
  [/^placed at a point that stands for a whole town$/, "coarse"],
];

/** "same type: flood (+0.40); 120 m apart (+0.27)" in the screen's language; what is none of these stays as it was written. */
export function toldWords(
  told: string,
  named: (code: string) => string,
): string {
  return told
    .split("; ")
    .map((part) => {
      if (part === "accepted by a person") return m.fus_accepted();
      const [, from, note = ""] = /^split from (\S+?)(: .*)?$/.exec(part) ?? [];
      if (from) return m.fus_split_from({ number: from }) + note;
      const [, text = "", weight = "", rest = ""] =
        /^(.*?) \(([+-]\d\.\d\d)\)(: .*)?$/.exec(part) ?? [];
      for (const [form, code] of SAID) {
        const found = form.exec(text);
        if (found)
          return `${reasonWord({ code, text, value: found.slice(1).join("/") }, named)} (${weightWord(Number(weight))})${rest}`;
      }
      return part;
    })
    .join("; ");
}

/** "0,82": it is no share of anything, so no per cent. */
export const weightWord = (weight: number): string => fixed(weight, 2);

/** What one key does. */
export function proposal(
  s: Suggestion,
  incident: (id: string) => Pick<Incident, "number" | "title"> | undefined,
  type: (code: string) => string,
  neighbour: (slug: string) => string,
): string {
  const name = (id: string | undefined) => {
    const known = id ? incident(id) : undefined;
    return known
      ? `${shortNumber(known.number)} ${known.title}`.trim()
      : m.fus_an_incident();
  };
  switch (s.kind) {
    case "merge":
      return m.fus_do_merge({ other: name(s.other), into: name(s.incident) });
    case "open":
      return m.fus_do_open({
        type: type(s.type),
        area: s.area_name || m.place_unknown(),
      });
    case "hand_over":
      return m.fus_do_hand_over({
        number: name(s.incident),
        neighbour: neighbour(s.neighbour ?? ""),
      });
    default:
      return m.fus_do_join({ number: name(s.incident) });
  }
}
