// /api/v1/rules: what turns readings into alerts; trying one on recorded hours before it is switched on.
import { call, query, type Answer } from "./call";
import { count, doc, docs, text, texts, word, type Doc } from "./read";

export const RULE_STATES = ["normal", "pending", "firing", "off"] as const;
export type RuleState = (typeof RULE_STATES)[number];

export interface Rule {
  id: string;
  kind: string;
  state: RuleState;
  /** file: written in the configuration, only read here; api: kept through this page; built-in. */
  source: string;
  version: number;
  enabled: boolean;
  event: string;
  consequence: string;
  response: string;
  owner: string;
  review: string;
  /** What the definition of an alarm lacks. */
  undefinedAlarm: boolean;
  warnings: string[];
  errors: number;
  lastError: string;
  late: number;
  firing: string[];
  pending: string[];
  /** As the house tells it. */
  told: Doc;
}

export function readRule(value: unknown): Rule {
  const d = doc(value);
  return {
    id: text(d["id"]),
    kind: text(d["kind"]),
    state: word(d["state"], RULE_STATES),
    source: text(d["source"]),
    version: count(d["version"]),
    enabled: d["enabled"] !== false,
    event: text(doc(d["alert"])["event"]),
    consequence: text(d["consequence"]),
    response: text(d["response"]),
    owner: text(d["owner"]),
    review: text(d["review"]),
    undefinedAlarm: d["undefined"] === true,
    warnings: texts(d["warnings"]),
    errors: count(d["errors"]),
    lastError: text(d["last_error"]),
    late: count(d["late"]),
    firing: texts(d["firing"]),
    pending: texts(d["pending"]),
    told: d,
  };
}

export interface RuleVersion {
  version: number;
  at: string;
  by: string;
  deleted: boolean;
  config: Doc;
}

export interface Fired {
  thing: string;
  at: string;
  event: string;
}

export interface BackTest {
  fired: number;
  byThing: [thing: string, n: number][];
  alerts: Fired[];
  readings: number;
  from: string;
  to: string;
  warnings: string[];
}

const ROOT = "/api/v1/rules";
const at = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;
/** Hours of readings take the house a while. */
const SLOW_MS = 120_000;

export async function fetchRules(): Promise<Answer<Rule[]>> {
  const answer = await call<unknown>("GET", ROOT);
  return answer.ok
    ? { ...answer, body: docs(doc(answer.body)["items"]).map(readRule) }
    : answer;
}

/** What was written, and who did so; a rule of the file has only what the list tells. */
export interface RuleEntry {
  version: number;
  at: string;
  by: string;
  told: Doc;
}

export async function fetchRule(id: string): Promise<Answer<RuleEntry>> {
  const answer = await call<unknown>("GET", at(id));
  if (!answer.ok) return answer;
  const d = doc(answer.body);
  return {
    ...answer,
    body: {
      version: count(d["version"]),
      at: text(d["at"]),
      by: text(d["by"]),
      told: d,
    },
  };
}

export async function fetchVersions(
  id: string,
): Promise<Answer<RuleVersion[]>> {
  const answer = await call<unknown>("GET", `${at(id)}/versions`);
  if (!answer.ok) return answer;
  return {
    ...answer,
    body: docs(doc(answer.body)["items"]).map((v) => ({
      version: count(v["version"]),
      at: text(v["at"]),
      by: text(v["by"]),
      deleted: v["deleted"] === true,
      config: doc(v["config"] ?? v["rule"]),
    })),
  };
}

/** Keeps a rule, by the keys of its YAML; version 0: it is new. `force`: also where it names a property that no feed has said yet. */
export const putRule = (
  id: string,
  config: Doc,
  version: number,
  force = false,
): Promise<Answer<unknown>> =>
  call("PUT", at(id) + (force ? query({ force: "true" }) : ""), {
    config,
    version,
  });

export const deleteRule = (
  id: string,
  version: number,
): Promise<Answer<unknown>> => call("DELETE", at(id) + query({ version }));

export function readBackTest(value: unknown): BackTest {
  const d = doc(value);
  return {
    fired: count(d["fired"]),
    byThing: Object.entries(doc(d["by_thing"]))
      .map(([thing, n]): [string, number] => [thing, count(n)])
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
    alerts: docs(d["alerts"]).map((a) => ({
      thing: text(a["thing"]) || text(a["key"]),
      at: text(a["at"]),
      event: text(a["event"]) || text(a["headline"]),
    })),
    readings: count(d["readings"]),
    from: text(d["from"]),
    to: text(d["to"]),
    warnings: texts(d["warnings"]),
  };
}

export async function backTest(
  rule: Doc,
  from: string,
  to: string,
): Promise<Answer<BackTest>> {
  const answer = await call<unknown>(
    "POST",
    `${ROOT}/backtest`,
    { rule, from, to },
    SLOW_MS,
  );
  return answer.ok ? { ...answer, body: readBackTest(answer.body) } : answer;
}
