// Kinds of proof and reasons to rest, in the screen's language; the house lists both by code (domain, section 5).
import { m } from "../../i18n/paraglide/messages.js";
import type { ProofKind } from "../../api/incidents";

const PROOF: Record<ProofKind, () => string> = {
  unit_in_cell: m.life_proof_unit_in_cell,
  photo: m.life_proof_photo,
  sensor_normal: m.life_proof_sensor_normal,
  reporter: m.life_proof_reporter,
  second_agency: m.life_proof_second_agency,
};
export const proofWord = (kind: string): string =>
  (PROOF as Record<string, (() => string) | undefined>)[kind]?.() ?? kind;

const HOLD: Record<string, () => string> = {
  unsafe_access: m.life_hold_unsafe_access,
  outside_party: m.life_hold_outside_party,
  no_resources: m.life_hold_no_resources,
  daylight: m.life_hold_daylight,
  other: m.life_hold_other,
};
export const holdWord = (reason: string): string => HOLD[reason]?.() ?? reason;

const DECISION: Record<string, () => string> = {
  watch: m.life_decide_watch,
  field_check: m.life_decide_field_check,
  upgrade: m.life_decide_upgrade,
  no_action: m.life_decide_no_action,
};
export const decisionWord = (as: string): string => DECISION[as]?.() ?? as;

/** The clocks of the service stand still. */
export const stops = (reason: string): boolean =>
  reason === "unsafe_access" || reason === "outside_party";
