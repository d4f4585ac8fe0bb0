// /api/v1/suggestions, and what people do with what belongs together: merge, split, and taking either back.
import type { Incident, Suggestion } from "../wire/wire";
import { call, type Answer } from "./call";

const at = (id: string, verb: string) =>
  `/api/v1/suggestions/${encodeURIComponent(id)}/${verb}`;

export const decide = (
  { id, version }: Suggestion,
  verb: "accept" | "refuse",
  note = "",
): Promise<Answer<Suggestion>> =>
  call("POST", at(id, verb), { version, ...(note && { note }) });

const incident = (id: string, verb: string) =>
  `/api/v1/incidents/${encodeURIComponent(id)}/${verb}`;

/** Everything of the first moves to the second; answers what remains. */
export const merge = (
  { id, version }: Incident,
  into: string,
  note: string,
): Promise<Answer<Incident>> =>
  call("POST", incident(id, "merge"), { into, version, ...(note && { note }) });

/** A piece of evidence that a person adds. */
export const attach = (
  { id, version }: Incident,
  kind: string,
  ref: string,
  note: string,
): Promise<Answer<Incident>> =>
  call("POST", incident(id, "evidence"), {
    kind,
    ref,
    version,
    ...(note && { note }),
  });

/** Within 24 hours. */
export const unmerge = ({ id, version }: Incident): Promise<Answer<Incident>> =>
  call("POST", incident(id, "unmerge"), { version });

/** The pieces, by their refs, make an incident of their own. */
export const split = (
  { id, version }: Incident,
  evidence: readonly string[],
  of: { title: string; type: string },
): Promise<Answer<Incident>> =>
  call("POST", incident(id, "split"), {
    evidence,
    version,
    ...(of.title && { title: of.title }),
    ...(of.type && { type: of.type }),
  });
