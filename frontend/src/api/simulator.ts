// /api/v1/simulator: the simulated city, its scenarios and their runs.
import type { FeedStatus } from "../wire/wire";
import { call, type Answer } from "./call";

/** A text by language. */
export type Words = Record<string, string>;

export interface Scenario {
  id: string;
  names: Words;
  about: Words;
  duration_s: number;
}

export interface Happening {
  at: string;
  what: Words;
  place: string;
  lng: number;
  lat: number;
}

/** An incident that a perfect system would open. */
export interface Expectation {
  type: string;
  severity: string;
  place: string;
  lng: number;
  lat: number;
  radius_m: number;
  opens_after: string | null;
  opens_by: string | null;
}

export interface Truth {
  summary: Words;
  casualties: Record<string, number>;
  happens: Happening[] | null;
  expect: Expectation[] | null;
}

export interface Run {
  id: string;
  scenario: string;
  names: Words;
  state: "running" | "stopped" | "ended";
  started_at: string | null;
  ends_at: string | null;
  stopped_at: string | null;
  by: string;
  truth: Truth;
}

export interface Simulator {
  feed: string;
  things: number;
  scenarios: Scenario[];
  /** The newest first. */
  runs: Run[];
}

const ROOT = "/api/v1/simulator";

/** Whether this house has a simulated city: it is one of its feeds. Where it has none, nobody asks for it. */
export const hasSimulator = (feeds: readonly FeedStatus[]): boolean =>
  feeds.some((feed) => feed.transport === "simulator");

/** "none": this house has no simulated city. null: nobody answers. */
export async function fetchSimulator(): Promise<Simulator | "none" | null> {
  const answer = await call<Simulator>("GET", ROOT);
  if (answer.ok) return answer.body;
  return answer.status === 404 || answer.status === 403 ? "none" : null;
}

export const startRun = (scenario: string): Promise<Answer<Run>> =>
  call("POST", `${ROOT}/runs`, { scenario });

export const stopRun = (id: string): Promise<Answer<Run>> =>
  call("DELETE", `${ROOT}/runs/${encodeURIComponent(id)}`);

/** The text of a language, or whichever there is. */
export const wordsOf = (words: Words | undefined, lang: string): string =>
  words?.[lang] ?? Object.values(words ?? {})[0] ?? "";
