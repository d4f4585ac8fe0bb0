// /public/tickets: how far a report has come, for whoever gave it; and the ticket of a report, for whoever took it.
import { call, type Answer } from "./call";

export const STEPS = [
  "received",
  "judged",
  "under_way",
  "on_scene",
  "done",
  "closed",
] as const;
export type StepCode = (typeof STEPS)[number];

export interface Ticket {
  ticket: string;
  house: string;
  zone: string;
  at: string | null;
  /** null: nobody has said yet what it is. */
  type: { id: string; en: string } | null;
  area_name: string;
  /** Those that were taken, in order. */
  steps: { code: StepCode; at: string | null }[];
  now: StepCode | "on_hold" | "referred" | "not_taken";
  agencies: string[];
  referred: string;
  proof: string[];
  disputable: boolean;
  disputed: string | null;
  /** The word of whoever gave it, that it is done, is still awaited. */
  confirmable: boolean;
  /** When they said so; null: not since it was said to be done. */
  confirmed: string | null;
  as_of: string | null;
}

const at = (code: string) => `/public/tickets/${encodeURIComponent(code)}`;

export const fetchTicket = (code: string): Promise<Answer<Ticket>> =>
  call("GET", at(code));

export const disputeTicket = (
  code: string,
  text: string,
): Promise<Answer<Ticket>> => call("POST", `${at(code)}/dispute`, { text });

export const confirmTicket = (code: string): Promise<Answer<Ticket>> =>
  call("POST", `${at(code)}/confirm`);

export const ticketOf = (
  report: string,
): Promise<Answer<{ ticket: string; page: string }>> =>
  call("POST", `/api/v1/reports/${encodeURIComponent(report)}/ticket`);
