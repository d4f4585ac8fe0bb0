// Why a piece of evidence joined an incident.
import { m } from "../../i18n/paraglide/messages.js";

/** The house's short reasons in words, any other as it was written. */
export function reasonWords(reason: string): string {
  const [kind = "", name = ""] = reason.split(" ", 2);
  if (reason === "reported by a person") return m.desk_evidence_person();
  if (reason === "added by a person") return m.desk_evidence_added();
  if (kind === "rule" && name !== "") return m.desk_evidence_rule({ name });
  if (kind === "consent" && name !== "") return m.desk_why_consent({ name });
  return reason;
}
