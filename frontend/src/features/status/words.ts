// The level of the area in the screen's language: what became of it, why it was not set.
import { m } from "../../i18n/paraglide/messages.js";
import type { Problem } from "../../api/call";
import { placeWords } from "../../i18n/problem.svelte";
import { faultWords } from "../alarms/words";

export { evidenceWord } from "./evidence";

const ACT: Record<string, () => string> = {
  begun: m.lvl_act_begun,
  proposed: m.lvl_act_proposed,
  withdrawn: m.lvl_act_withdrawn,
  confirmed: m.lvl_act_confirmed,
  reverted: m.lvl_act_reverted,
};
export const actWord = (act: string): string => ACT[act]?.() ?? act;

/** Why a level was not set or a statement not taken: each field with what is wrong. */
export function levelFault(status: number, problem: Problem): string {
  const places = placeWords(problem);
  if (status !== 422 || places.length === 0) return faultWords(status, problem);
  return `${m.desk_fault_incomplete()} ${places.join("; ")}.`;
}
