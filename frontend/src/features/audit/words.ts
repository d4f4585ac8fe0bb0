// Acts in the reader's language: what is acted on, and what was done with it.
import { m } from "../../i18n/paraglide/messages.js";
import type { Outcome } from "./proof";

const NOUNS: Record<string, () => string> = {
  incident: m.aud_n_incident,
  alert: m.aud_n_alert,
  alarm: m.aud_n_alarm,
  dispatch: m.aud_n_dispatch,
  report: m.aud_n_report,
  reporter: m.aud_n_reporter,
  attachment: m.aud_n_attachment,
  held: m.aud_n_held,
  session: m.aud_n_session,
  factor: m.aud_n_factor,
  passkey: m.aud_n_passkey,
  password: m.aud_n_password,
  person: m.aud_n_person,
  key: m.aud_n_key,
  device: m.aud_n_device,
  change: m.aud_n_change,
  feed: m.aud_n_feed,
  rule: m.aud_n_rule,
  plan: m.aud_n_plan,
  statement: m.aud_n_statement,
  status: m.aud_n_status,
  suggestion: m.aud_n_suggestion,
  unit: m.aud_n_unit,
  contact: m.aud_n_contact,
  desk: m.aud_n_desk,
  simulator: m.aud_n_simulator,
  audit: m.aud_n_audit,
  store: m.aud_n_store,
  record: m.aud_n_record,
  right: m.aud_n_right,
  break_glass: m.aud_n_break_glass,
  retention: m.aud_n_retention,
  erasure: m.aud_n_erasure,
  breach: m.aud_n_breach,
};

const VERBS: Record<string, () => string> = {
  acknowledged: m.aud_v_acknowledged,
  created: m.aud_v_created,
  opened: m.aud_v_opened,
  closed: m.aud_v_closed,
  ended: m.aud_v_ended,
  denied: m.aud_v_denied,
  elevated: m.aud_v_elevated,
  changed: m.aud_v_changed,
  resolved: m.aud_v_resolved,
  confirmed: m.aud_v_confirmed,
  added: m.aud_v_added,
  removed: m.aud_v_removed,
  raised: m.aud_v_raised,
  made: m.aud_v_made,
  entered: m.aud_v_entered,
  resumed: m.aud_v_resumed,
  merged: m.aud_v_merged,
  unmerged: m.aud_v_unmerged,
  split: m.aud_v_split,
  held: m.aud_v_held,
  declined: m.aud_v_declined,
  offered: m.aud_v_offered,
  accepted: m.aud_v_accepted,
  en_route: m.aud_v_en_route,
  on_scene: m.aud_v_on_scene,
  done: m.aud_v_done,
  expired: m.aud_v_expired,
  cancelled: m.aud_v_cancelled,
  stored: m.aud_v_stored,
  updated: m.aud_v_updated,
  revised: m.aud_v_revised,
  edited: m.aud_v_edited,
  attached: m.aud_v_attached,
  proved: m.aud_v_proved,
  checked: m.aud_v_checked,
  disputed: m.aud_v_disputed,
  commented: m.aud_v_commented,
  reopened: m.aud_v_reopened,
  escalated: m.aud_v_escalated,
  evidence_added: m.aud_v_evidence_added,
  evidence_removed: m.aud_v_evidence_removed,
  handover_asked: m.aud_v_handover_asked,
  handover_accepted: m.aud_v_handover_accepted,
  handover_declined: m.aud_v_handover_declined,
  handover_late: m.aud_v_handover_late,
  sla_missed: m.aud_v_sla_missed,
  ticket: m.aud_v_ticket,
  untriaged: m.aud_v_untriaged,
  erased: m.aud_v_erased,
  revealed: m.aud_v_revealed,
  viewed: m.aud_v_viewed,
  exported: m.aud_v_exported,
  differs: m.aud_v_differs,
  unreadable: m.aud_v_unreadable,
  cloned: m.aud_v_cloned,
  rotated: m.aud_v_rotated,
  revoked: m.aud_v_revoked,
  renewed: m.aud_v_renewed,
  moved: m.aud_v_moved,
  invited: m.aud_v_invited,
  enrolled: m.aud_v_enrolled,
  approved: m.aud_v_approved,
  proposed: m.aud_v_proposed,
  refused: m.aud_v_refused,
  withdrawn: m.aud_v_withdrawn,
  applied: m.aud_v_applied,
  reset: m.aud_v_reset,
  enabled: m.aud_v_enabled,
  disabled: m.aud_v_disabled,
  sealed: m.aud_v_sealed,
  used: m.aud_v_used,
  replayed: m.aud_v_replayed,
  declared: m.aud_v_declared,
  reverted: m.aud_v_reverted,
  announced: m.aud_v_announced,
  imported: m.aud_v_imported,
  answered: m.aud_v_answered,
  panic: m.aud_v_panic,
  rollcall: m.aud_v_rollcall,
  staffed: m.aud_v_staffed,
  start: m.aud_v_start,
  stop: m.aud_v_stop,
  seen: m.aud_v_seen,
  painted: m.aud_v_painted,
  climbed: m.aud_v_climbed,
  shelved: m.aud_v_shelved,
  unshelved: m.aud_v_unshelved,
  shelf_ended: m.aud_v_shelf_ended,
  flood_began: m.aud_v_flood_began,
  flood_ended: m.aud_v_flood_ended,
  gathered: m.aud_v_gathered,
  deleted: m.aud_v_deleted,
  heard: m.aud_v_heard,
  begun: m.aud_v_begun,
};

/** The kinds of acts, for a list to choose from: the beginning of an action, and its words. */
export const kinds = (): { action: string; words: string }[] =>
  Object.entries(NOUNS)
    .map(([noun, words]) => ({ action: `${noun}.`, words: words() }))
    .sort((a, b) => a.words.localeCompare(b.words));

/** "incident.closed" in words; of what is not known, as it is. */
export function actionWords(action: string): string {
  const cut = action.indexOf(".");
  const noun = NOUNS[action.slice(0, cut)];
  if (cut < 0 || !noun) return action;
  const verb = action.slice(cut + 1);
  return `${noun()}: ${VERBS[verb]?.() ?? verb}`;
}

const BAD: Record<Exclude<Outcome["fault"], "">, () => string> = {
  root: m.aud_bad_root,
  signature: m.aud_bad_signature,
  malformed: m.aud_bad_malformed,
  browser: m.aud_bad_browser,
};

/** Why a record is not proven; empty: it is. */
export const faultOf = ({ fault }: Outcome): string =>
  fault === "" ? "" : BAD[fault]();

/** Whether the signature was looked at. */
export const signedWords = ({ signed }: Outcome): string =>
  signed === "yes" ? m.aud_signed_yes() : m.aud_signed_unknown();

const WHAT: Record<string, () => string> = {
  changed: m.aud_what_changed,
  gone: m.aud_what_gone,
  added: m.aud_what_added,
  back: m.aud_what_back,
};
export const whatWords = (what: string): string => WHAT[what]?.() ?? what;
