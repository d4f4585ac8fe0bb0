// Rules in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import type { RuleState } from "../../api/rules";

const STATE: Record<RuleState, () => string> = {
  normal: m.rul_state_normal,
  pending: m.rul_state_pending,
  firing: m.rul_state_firing,
  off: m.rul_state_off,
};
export const stateWord = (state: RuleState): string => STATE[state]();

const KIND: Record<string, () => string> = {
  threshold: m.rul_kind_threshold,
  rate: m.rul_kind_rate,
  absence: m.rul_kind_absence,
  count: m.rul_kind_count,
  fence: m.rul_kind_fence,
  anomaly: m.rul_kind_anomaly,
  regrade: m.rul_kind_regrade,
  fault: m.rul_kind_fault,
};
export const kindWord = (kind: string): string => KIND[kind]?.() ?? kind;

const YAML: Record<string, () => string> = {
  tab: m.rul_yaml_tab,
  indent: m.rul_yaml_indent,
  twice: m.rul_yaml_twice,
  quote: m.rul_yaml_quote,
  flow: m.rul_yaml_flow,
};
/** Why the text is no YAML that rules are written in. */
export const yamlWord = (fault: string): string => YAML[fault]?.() ?? fault;
