// What a key is for, in words.
import { m } from "../../i18n/paraglide/messages.js";
import type { Scope } from "../../api/keys";

const WORD: Record<Scope, () => string> = {
  ingest: m.adm_scope_ingest,
  read: m.adm_scope_read,
  metrics: m.adm_scope_metrics,
  automation: m.adm_scope_automation,
};
const NOTE: Record<Scope, () => string> = {
  ingest: m.adm_scope_ingest_note,
  read: m.adm_scope_read_note,
  metrics: m.adm_scope_metrics_note,
  automation: m.adm_scope_automation_note,
};

export const scopeWord = (scope: Scope): string => WORD[scope]();
export const scopeNote = (scope: Scope): string => NOTE[scope]();
