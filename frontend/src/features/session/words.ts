// Roles and desks in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";

const ROLE: Record<string, () => string> = {
  calltaker: m.role_calltaker,
  operator: m.role_operator,
  dispatcher: m.role_dispatcher,
  supervisor: m.role_supervisor,
  liaison: m.role_liaison,
  field: m.role_field,
  leader: m.role_leader,
  pio: m.role_pio,
  wall: m.role_wall,
  citizen: m.role_citizen,
  admin: m.role_admin,
  auditor: m.role_auditor,
};

/** A role's name; one that this screen does not know is shown as the house calls it. */
export const roleWord = (role: string): string =>
  ROLE[role]?.() ?? role.replaceAll("_", " ");

/** "desk-1" is desk 1; any other slug is a name of the house's own. */
export function deskWord(slug: string): string {
  const found = /^desk-(\w+)$/.exec(slug);
  return found
    ? m.who_desk_number({ number: found[1] ?? "" })
    : slug.replaceAll("-", " ");
}
