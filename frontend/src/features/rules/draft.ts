// A rule as the house tells it, as the YAML that people write, and the way between them. Pure.
import type { Problem } from "../../api/call";
import { docs, isDoc, text } from "../../api/read";
import { faultWord, problemWords } from "../../i18n/problem.svelte";
import type { Rule } from "../../api/rules";
import type { Doc, Value } from "./yaml";

/** What the house adds: how the rule stands, not what it is. */
const TOLD = new Set([
  "source",
  "version",
  "kind",
  "state",
  "firing",
  "pending",
  "warnings",
  "undefined",
  "errors",
  "last_error",
  "late",
  "tests",
  "updated_at",
  "by",
  "$schema",
]);
const HOME: Record<string, string> = {
  expires_s: "alert",
  merge_window_s: "incident",
};

/** 90 is "1m30s", as durations are written in the configuration. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds * 1000);
  if (whole === 0) return "0s";
  if (whole % 1000 !== 0) return `${whole}ms`;
  const s = whole / 1000;
  const parts: [number, string][] = [
    [Math.floor(s / 3600), "h"],
    [Math.floor((s % 3600) / 60), "m"],
    [s % 60, "s"],
  ];
  return parts
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n}${unit}`)
    .join("");
}

function keys(value: unknown): Value {
  if (Array.isArray(value)) return value.map(keys);
  if (!isDoc(value)) return value as Value;
  const out: Doc = {};
  for (const [key, v] of Object.entries(value)) {
    if (key.endsWith("_s") && typeof v === "number")
      out[key.slice(0, -2)] = duration(v);
    else out[key] = keys(v);
  }
  return out;
}

const blank = (v: Value | undefined): boolean =>
  v === undefined || v === null || v === "" || v === "0s";

/** The keys that a person would write; what the house only fills in with nothing is left out. */
export function writtenRule(told: Record<string, unknown>): Doc {
  const given = isDoc(told["config"]) ? told["config"] : told;
  const out: Doc = {};
  const moved: [home: string, key: string, v: Value][] = [];
  for (const [key, v] of Object.entries(given)) {
    if (TOLD.has(key)) continue;
    const home = HOME[key];
    if (home && typeof v === "number") {
      moved.push([home, key.slice(0, -2), duration(v)]);
      continue;
    }
    const name =
      key.endsWith("_s") && typeof v === "number" ? key.slice(0, -2) : key;
    const value = name === key ? keys(v) : duration(v as number);
    if (!blank(value)) out[name] = value;
  }
  for (const [home, key, v] of moved) {
    const at = out[home];
    if (
      typeof at === "object" &&
      at !== null &&
      !Array.isArray(at) &&
      !blank(v)
    )
      out[home] = { ...at, [key]: v };
  }
  if (out["enabled"] === true) delete out["enabled"];
  return out;
}

/** A rule to begin with. */
export const EXAMPLE = `id: muka-air-contoh
when: obs.property == "water_level" && obs.value > 2.8
for: 30s
clear_for: 5m
alert:
  event: Muka air naik
  category: Met
  severity: Severe
  urgency: Expected
  certainty: Observed
consequence: Rumah di hilir terendam
response: Lihat kamera, hubungi Wali Nagari
act_within: 20m
owner: bpbd
review: "2027-06-01"
`;

export interface Placed {
  key: string;
  /** 0: it is not known where. */
  line: number;
  /** In the reader's language, with what the compiler or the reader of settings says as a quotation. */
  text: string;
  /** It names a property that no feed has said yet: whoever knows better may keep it. */
  yet: boolean;
}

/** What the server says of a rule, at the line of the key that it names. */
export function placed(
  status: number,
  problem: Problem,
  lines: ReadonlyMap<string, number>,
): Placed[] {
  const said = docs(problem["errors"]);
  if (said.length === 0)
    return [
      {
        key: "",
        line: 0,
        text: problemWords(status, problem),
        yet: false,
      },
    ];
  return said.map((e) => {
    const quoted = text(e["message"]);
    const code = text(e["code"]);
    const key =
      text(e["location"]).replace(/^body\.?(?:config|rule)?\.?/, "") ||
      named(quoted, lines);
    return {
      key,
      line: lines.get(key) ?? 0,
      text: faultWord(code, e["limit"], quoted),
      yet: code === "yet",
    };
  });
}

/** Whether a rule is refused for nothing but what an instrument that is yet to come will say. */
export const forcible = (said: readonly Placed[]): boolean =>
  said.length > 0 && said.every(({ yet }) => yet);

/** The longest key of the text that the words name, "rule x: alert.severity: …". */
function named(words: string, lines: ReadonlyMap<string, number>): string {
  const found = [...lines.keys()]
    .filter((key) =>
      new RegExp(`(^|[\\s:])${key.replace(/[.[\]]/g, "\\$&")}(:|\\s|$)`).test(
        words,
      ),
    )
    .sort((a, b) => b.length - a.length);
  return found[0] ?? "";
}

export type Show = "" | "firing" | "faulty" | "undefined" | "off";

export function shownRules(
  rules: readonly Rule[],
  show: Show,
  wanted: string,
): Rule[] {
  const needle = wanted.trim().toLowerCase();
  const order = { firing: 0, pending: 1, normal: 2, off: 3 };
  return rules
    .filter(
      (r) =>
        (show === "" ||
          (show === "firing" && r.state === "firing") ||
          (show === "faulty" && (r.errors > 0 || r.late > 0)) ||
          (show === "undefined" && r.undefinedAlarm) ||
          (show === "off" && r.state === "off")) &&
        (needle === "" ||
          `${r.id} ${r.event} ${r.kind} ${r.owner}`
            .toLowerCase()
            .includes(needle)),
    )
    .sort((a, b) => order[a.state] - order[b.state] || (a.id < b.id ? -1 : 1));
}
