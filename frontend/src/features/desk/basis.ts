// Whether what an incident rested on was withdrawn, and nothing has come since that speaks for it.
import type { TimelineEntry } from "../../wire/wire";

/** Acts after which the question is no longer open: something else speaks for it, or somebody has said what is so. */
const SETTLED = new Set([
  "evidence",
  "evidence_added",
  "merged",
  "on_scene",
  "dispatch_on_scene",
  "confirmed",
  "resolved",
  "closed",
  "cancelled",
]);

/** The basis is gone, and the desk should look: the house itself closes nothing. */
export function basisGone(entries: readonly TimelineEntry[]): boolean {
  for (const { act } of [...entries].reverse()) {
    if (act === "basis_withdrawn") return true;
    if (SETTLED.has(act)) return false;
  }
  return false;
}
