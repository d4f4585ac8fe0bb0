// What a ticket says, in the reader's language.
import { m } from "../../i18n/paraglide/messages.js";
import type { StepCode } from "../../api/tickets";

const STEP: Record<StepCode, () => string> = {
  received: m.tkt_step_received,
  judged: m.tkt_step_judged,
  under_way: m.tkt_step_under_way,
  on_scene: m.tkt_step_on_scene,
  done: m.tkt_step_done,
  closed: m.tkt_step_closed,
};
export const stepWord = (code: StepCode): string => STEP[code]();

/** Why a ticket is not shown. */
export function ticketFault(status: number): string {
  switch (status) {
    case 0:
      return m.tkt_unreachable();
    case 404:
      return m.tkt_none();
    case 409:
      return m.tkt_late();
    case 429:
      return m.tkt_slow();
    default:
      return m.tkt_failed();
  }
}
