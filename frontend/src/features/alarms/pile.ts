// Piles of alarms in the screen's language; only their list says them.
import { m } from "../../i18n/paraglide/messages.js";
import type { Pile } from "./queue";

const PILE: Record<Pile, () => string> = {
  queue: m.alm_pile_queue,
  raised: m.alm_pile_raised,
  shelved: m.alm_pile_shelved,
  withheld: m.alm_pile_withheld,
};
export const pileWord = (pile: Pile): string => PILE[pile]();
