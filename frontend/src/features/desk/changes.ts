// What became of an incident since somebody looked at it: what a person must know before they try again.
import type { Incident, TimelineEntry } from "../../wire/wire";

export interface Changes {
  /** From and to; null where it is the same. */
  status: { from: Incident["status"]; to: Incident["status"] } | null;
  severity: { from: Incident["severity"]; to: Incident["severity"] } | null;
  title: { from: string; to: string } | null;
  owner: { from: string; to: string } | null;
  /** The timeline's new lines, in their order. */
  entries: TimelineEntry[];
}

export function changes(seen: Incident, now: Incident): Changes {
  const differs = <K extends "status" | "severity" | "title">(key: K) =>
    seen[key] === now[key] ? null : { from: seen[key], to: now[key] };
  const from = seen.owner ?? "";
  const to = now.owner ?? "";
  return {
    status: differs("status"),
    severity: differs("severity"),
    title: differs("title"),
    owner: from === to ? null : { from, to },
    // A timeline only grows.
    entries: now.timeline.slice(seen.timeline.length),
  };
}

/** The newer of two pictures of one incident: acts first, then what rules and feeds added. */
export function newer<T extends Incident>(
  a: T | null | undefined,
  b: T | null | undefined,
): T | null {
  if (!a || !b) return a ?? b ?? null;
  if (a.version !== b.version) return a.version > b.version ? a : b;
  return (a.updated_at ?? "") >= (b.updated_at ?? "") ? a : b;
}
