// The lines of evidence under the worst incident.
import type { Evidence, Incident, RuleInput } from "../../wire/wire";
import { instant, number, unitSign } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import { wordless } from "./limited";
import { reasonWords } from "./reason";

export interface EvidenceLine {
  /** Kind of the Thing where it is a reading, else of the evidence. */
  kind: string;
  /** What it is about: the sensor's name, the alert's words. */
  lead: string;
  /** The value, drawn heavier; empty where there is none. */
  value: string;
  at: number | null;
}

/** What is asked of a Thing here. */
export interface Named {
  name: string;
  kind: string;
}

/** Newest first, one line for each thing that was reported on. `thing` finds a Thing by id. */
export function evidenceLines(
  incident: Incident,
  thing: (id: string) => Named | undefined,
): EvidenceLine[] {
  const seen = new Set<string>();
  const lines: EvidenceLine[] = [];
  const newest = [...list(incident.evidence)].sort(
    (a, b) => (instant(b.at) ?? 0) - (instant(a.at) ?? 0),
  );
  for (const evidence of newest) {
    const key = `${evidence.kind}|${evidence.ref}`;
    if (seen.has(key) && !wordless(evidence)) continue;
    seen.add(key);
    lines.push(line(evidence, list(incident.why.inputs), thing));
  }
  return lines;
}

function line(
  evidence: Evidence,
  inputs: readonly RuleInput[],
  thing: (id: string) => Named | undefined,
): EvidenceLine {
  const at = instant(evidence.at);
  const { kind, ref, reason, text } = evidence;
  if (kind !== "observation") {
    const lead = wordless(evidence)
      ? m.limited_evidence()
      : (text ?? reasonWords(reason));
    return { kind, lead, value: "", at };
  }
  const known = thing(ref);
  const lead =
    known?.name !== undefined && known.name !== "" ? known.name : ref;
  const exact = inputs.filter((i) => i.thing === ref && i.at === evidence.at);
  const input = exact.at(-1);
  const value = input ? reading(input) : figure(text ?? "");
  return { kind: known?.kind ?? kind, lead, value, at };
}

function reading({ value, unit }: RuleInput): string {
  const figure =
    typeof value === "number"
      ? number(value, 2)
      : typeof value === "string" || typeof value === "boolean"
        ? String(value)
        : "";
  return unit ? `${figure} ${unitSign(unit)}` : figure;
}

/** "water_level 3.412 m" is what the server noted: the sensor's name stands beside it, so the first figure is enough. */
function figure(text: string): string {
  const found = /^[a-z]\w* (-?\d+(?:\.\d+)?)(?: ([^,]+))?(?:, .*)?$/.exec(text);
  if (!found) return text;
  const value = number(Number(found[1]), 2);
  return found[2] ? `${value} ${unitSign(found[2])}` : value;
}

/** Go writes an empty list as null where nobody made one. */
function list<T>(value: readonly T[] | null | undefined): readonly T[] {
  return value ?? [];
}
