// Who may ask, answer or take back the question to lead an incident, and who may be asked.
import { agencyName, type Agency, type Profile } from "../../api/profile";
import type { Handover, Incident, IncidentStatus } from "../../wire/wire";

const NEIGHBOUR = "neighbour:";

/** Slug of the neighbour that is meant; empty: it is one of our agencies. */
export const neighbourOf = (to: string): string =>
  to.startsWith(NEIGHBOUR) ? to.slice(NEIGHBOUR.length) : "";

/** Who sits here, as far as it decides about the lead. */
export interface Chair {
  subject: string;
  /** Empty: the house's own desk. */
  agency: string;
  /** May acknowledge incidents. */
  leads: boolean;
}

/** The desk speaks for an agency: the house for all, an agency for itself and those that it stands for. */
function speaksFor(
  { agency }: Chair,
  slug: string,
  agencies: readonly Agency[],
): boolean {
  if (agency === "" || agency === slug) return true;
  const own = agencies.find((a) => a.slug === agency);
  return own?.acts_as?.includes(slug) ?? false;
}

const OPEN: readonly IncidentStatus[] = [
  "new",
  "acknowledged",
  "dispatched",
  "on_scene",
];

/** May ask another to lead now. */
export const mayAsk = (
  incident: Incident,
  chair: Chair,
  agencies: readonly Agency[],
): boolean =>
  chair.leads &&
  !incident.handover &&
  OPEN.includes(incident.status) &&
  speaksFor(chair, incident.lead_agency, agencies);

export interface Answers {
  accept: boolean;
  decline: boolean;
  /** Takes the own question back. */
  withdraw: boolean;
}

/** What this chair may answer to a question. Of a neighbour, who has no desk here, whoever may lead enters the answer. */
export function answers(
  h: Handover,
  chair: Chair,
  agencies: readonly Agency[],
): Answers {
  const abroad = neighbourOf(h.to) !== "";
  const own = h.by === chair.subject;
  const asked = chair.leads && (abroad || speaksFor(chair, h.to, agencies));
  return {
    accept: asked && (abroad || !own),
    decline: asked && !own,
    withdraw: own && chair.leads,
  };
}

export interface Choice {
  to: string;
  name: string;
  /** Whom to call; empty: not known, or a desk of ours. */
  phone: string;
  neighbour: boolean;
}

/** Everybody who may be asked: those who support it already first, then the other agencies, then neighbours. */
export function choices(
  incident: Incident,
  profile: Profile,
  language: string,
): Choice[] {
  const helps = (slug: string) => (incident.support.includes(slug) ? 0 : 1);
  const ours = profile.agencies
    .filter(
      (a) =>
        a.slug !== incident.lead_agency &&
        !a.acts_as?.includes(incident.lead_agency),
    )
    .map(({ slug }) => ({
      to: slug,
      name: agencyName(profile, slug, language),
      phone: "",
      neighbour: false,
    }))
    .sort((a, b) => helps(a.to) - helps(b.to));
  const theirs = profile.neighbours.map((n) => ({
    to: NEIGHBOUR + n.slug,
    name: n.name,
    phone: n.emergency_number,
    neighbour: true,
  }));
  return [...ours, ...theirs];
}
