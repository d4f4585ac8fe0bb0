// Kinds of plans in the screen's language.
import { m } from "../../i18n/paraglide/messages.js";
import type { PlanKind } from "../../wire/wire";

export const KINDS: readonly PlanKind[] = [
  "works",
  "event",
  "closure",
  "maintenance",
];

const KIND: Record<PlanKind, () => string> = {
  works: m.pln_works,
  event: m.pln_event,
  closure: m.pln_closure,
  maintenance: m.pln_maintenance,
};
export const kindWord = (kind: PlanKind): string =>
  (KIND[kind] as (() => string) | undefined)?.() ?? kind;
