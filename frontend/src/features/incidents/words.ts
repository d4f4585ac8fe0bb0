// Severity and status in the screen's language.
import type { Incident, IncidentStatus, Severity } from "../../wire/wire";
import { m } from "../../i18n/paraglide/messages.js";

const LABEL: Record<Severity, () => string> = {
  Extreme: m.severity_extreme,
  Severe: m.severity_severe,
  Moderate: m.severity_moderate,
  Minor: m.severity_minor,
  Unknown: m.severity_unknown,
};

const LETTER: Record<Severity, () => string> = {
  Extreme: m.letter_extreme,
  Severe: m.letter_severe,
  Moderate: m.letter_moderate,
  Minor: m.letter_minor,
  Unknown: m.letter_unknown,
};

const STATUS: Record<IncidentStatus, () => string> = {
  new: m.status_new,
  acknowledged: m.status_acknowledged,
  dispatched: m.status_dispatched,
  on_scene: m.status_on_scene,
  resolved: m.status_resolved,
  closed: m.status_closed,
  cancelled: m.status_cancelled,
};

export const severityLabel = (severity: Severity): string =>
  (LABEL[severity] as (() => string) | undefined)?.() ?? m.severity_unknown();

export const severityLetter = (severity: Severity): string =>
  (LETTER[severity] as (() => string) | undefined)?.() ?? m.letter_unknown();

export const statusWord = (status: IncidentStatus): string =>
  (STATUS[status] as (() => string) | undefined)?.() ?? status;

/** Where it is, by the area's name: ground that is none of our areas is not an unknown place. */
export const placeWord = (
  of: Pick<Incident, "area_name" | "location">,
): string =>
  of.area_name || (of.location ? m.place_outside() : m.place_unknown());
