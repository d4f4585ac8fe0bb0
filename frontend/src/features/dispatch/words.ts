// Statuses of a dispatch and what may be noted of it, in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import type { Move, Reason } from "../../api/dispatches";
import type { Lang } from "../../i18n/lang.svelte";
import type { DispatchStatus } from "../../wire/wire";

const STATUS: Record<DispatchStatus, () => string> = {
  offered: m.dsp_offered,
  accepted: m.dsp_accepted,
  declined: m.dsp_declined,
  expired: m.dsp_expired,
  en_route: m.dsp_en_route,
  on_scene: m.dsp_on_scene,
  done: m.dsp_done,
  cancelled: m.dsp_cancelled,
};
export const standWord = (status: DispatchStatus): string =>
  (STATUS[status] as (() => string) | undefined)?.() ?? status;

const MOVE: Record<Move, () => string> = {
  accepted: m.dsp_do_accepted,
  declined: m.dsp_do_declined,
  en_route: m.dsp_do_en_route,
  on_scene: m.dsp_do_on_scene,
  done: m.dsp_do_done,
  cancelled: m.dsp_do_cancelled,
};
export const moveWord = (move: Move): string => MOVE[move]();

/** Reasons as one line; the house gives them in both languages. */
export const reasonLine = (reasons: readonly Reason[], lang: Lang): string =>
  reasons.map((r) => (lang === "id" ? r.text_id : r.text_en)).join(", ");
