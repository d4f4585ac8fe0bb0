// /api/v1/area-status and /api/v1/statements: the level of every hazard, and what authorities have said by their own scales.
import type { AreaStatus, Statement } from "../wire/wire";
import { call, query, type Answer } from "./call";
import { doc, docs, text } from "./read";

const ROOT = "/api/v1/area-status";
const at = (id: string, verb: string) =>
  `${ROOT}/${encodeURIComponent(id)}/${verb}`;

/** Confirms a level, raises or lowers it, in one's own name. */
export const setLevel = (
  { hazard, version, simulated }: AreaStatus,
  level: number,
  note: string,
): Promise<Answer<AreaStatus>> =>
  call("POST", ROOT, {
    hazard,
    level,
    version,
    ...(note && { note }),
    ...(simulated && { simulated }),
  });

/** Back to what was confirmed before. */
export const revertLevel = (
  { id, version }: AreaStatus,
  reason: string,
): Promise<Answer<AreaStatus>> =>
  call("POST", at(id, "revert"), { version, reason });

/** What became of a status. */
export interface Entry {
  at: string;
  act: string;
  by: string;
  level: number;
  proposed: number | null;
  note: string;
}

export async function fetchHistory(id: string): Promise<Answer<Entry[]>> {
  const answer = await call<unknown>(
    "GET",
    at(id, "history") + query({ limit: 50 }),
  );
  if (!answer.ok) return answer;
  return {
    ...answer,
    body: docs(doc(answer.body)["items"]).map((e) => {
      const status = doc(e["status"]);
      const proposal = doc(status["proposal"]);
      return {
        at: text(e["at"]),
        act: text(e["act"]),
        by: text(e["by"]),
        level: Number(status["level"]) || 0,
        proposed: Number(proposal["level"]) || null,
        note: text(status["note"]),
      };
    }),
  };
}

const SAID = "/api/v1/statements";

export interface StatementDraft {
  scale: string;
  subject: string;
  name?: string;
  step: string;
  source: string;
  reference?: string;
  web?: string;
  stated_at?: string;
  valid_until?: string;
  note?: string;
  national?: boolean;
  decree?: { number: string; from: string; to?: string };
}

export const declare = (draft: StatementDraft): Promise<Answer<Statement>> =>
  call("POST", SAID, draft);

export const withdraw = (
  { id, version }: Statement,
  reason: string,
): Promise<Answer<Statement>> =>
  call("POST", `${SAID}/${encodeURIComponent(id)}/withdraw`, {
    reason,
    version,
  });
