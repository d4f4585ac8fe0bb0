// The steps of a report as its page draws them: those that were taken, and those that may still come. Pure.
import { STEPS, type StepCode, type Ticket } from "../../api/tickets";
import { instant } from "../../i18n/format";

export interface Shown {
  code: StepCode;
  taken: boolean;
  /** Milliseconds since 1970; null: not yet, or nobody has recorded it. */
  at: number | null;
}

/** A step that a later one has overtaken was taken too, but nobody recorded when. What will not come is not promised. */
export function way(ticket: Ticket): Shown[] {
  const at = new Map(ticket.steps.map((s) => [s.code, instant(s.at)]));
  const last = Math.max(...ticket.steps.map((s) => STEPS.indexOf(s.code)));
  const over = ticket.now === "referred" || ticket.now === "not_taken";
  const shown = STEPS.map((code, i) => ({
    code,
    taken: i <= last,
    at: at.get(code) ?? null,
  }));
  // What ended without a unit says so by leaving those steps out.
  const done = at.has("done");
  return shown.filter(
    (s) =>
      at.has(s.code) ||
      (!over && !(done && (s.code === "under_way" || s.code === "on_scene"))),
  );
}
