// What the desk says of who gave a report.
import type { Problem } from "../../api/call";
import type { MaskedReporter } from "../../api/reporter";
import { number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";

/** For how long somebody revealed stands on the screen. */
export const SHOWN_S = 60;

/** "panggilan ke-2 dari 3 hari ini"; empty where the one call is all there is to tell. */
export function nthCall({ callToday, callsToday }: MaskedReporter): string {
  if (callsToday < 2) return "";
  return callToday > 0
    ? m.rvl_nth({ nth: number(callToday, 0), count: number(callsToday, 0) })
    : m.rvl_calls({ count: number(callsToday, 0) });
}

/** Why nobody was shown. */
export function reporterFault(status: number, problem: Problem): string {
  if (status === 422) return m.rvl_fault_reason();
  if (status === 403)
    return problem.code === "elevate"
      ? m.rvl_fault_many()
      : m.rvl_fault_forbidden();
  if (status === 404) return m.rvl_fault_none();
  if (status === 410) return m.rvl_fault_gone();
  return status === 0 ? m.rvl_fault_unreachable() : m.rvl_fault_failed();
}
