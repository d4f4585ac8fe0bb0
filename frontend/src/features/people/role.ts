// A role in the screen's language; apart from what roles may do, which only /admin says.
import { m } from "../../i18n/paraglide/messages.js";

const ROLE: Record<string, () => string> = {
  calltaker: m.ppl_role_calltaker,
  operator: m.ppl_role_operator,
  dispatcher: m.ppl_role_dispatcher,
  supervisor: m.ppl_role_supervisor,
  liaison: m.ppl_role_liaison,
  field: m.ppl_role_field,
  leader: m.ppl_role_leader,
  pio: m.ppl_role_pio,
  admin: m.ppl_role_admin,
  auditor: m.ppl_role_auditor,
  wall: m.ppl_role_wall,
};

/** A role that this screen does not know is shown as the house calls it. */
export const roleWord = (role: string): string => ROLE[role]?.() ?? role;
