// The states of the gallery in words.
import { m } from "../../i18n/paraglide/messages.js";

const STATES: Record<string, () => string> = {
  new: m.status_new,
  raised: m.status_new,
  acknowledged: m.status_acknowledged,
  dispatched: m.status_dispatched,
  "on-scene": m.status_on_scene,
  resolved: m.status_resolved,
  overdue: m.gal_overdue,
  late: m.gal_overdue,
  held: m.gal_held,
  unassessed: m.severity_unknown,
  exercise: m.cas_exercise,
  simulated: m.simulated,
  group: m.gal_group,
  chattering: m.gal_chattering,
  standing: m.alm_standing,
  shelved: m.alm_why_shelved,
  cleared: m.alm_back_to_normal,
  long: m.gal_extreme,
  live: m.gal_live,
  quiet: m.quiet_title,
  calm: m.alm_load_ok,
  flood: m.alm_flood,
  queue: m.gal_live,
  level: m.gal_confirmed,
  stale: m.reconnecting,
  loading: m.gal_loading,
  lost: m.lost_title,
  empty: m.gal_empty,
  volatile: m.storage_volatile,
};

/** What a state is called; one that nobody has named says itself. */
export const stateTitle = (state: string): string => STATES[state]?.() ?? state;
