// What tiles read of the room: the same nouns that the map and the list show, without what a scene hides.
import type { Scene, Wall } from "../../api/walls";
import type { Profile } from "../../api/profile";
import type { Lang } from "../../i18n/lang.svelte";
import type { IncidentType } from "../../api/incidents";
import { personWord } from "../../features/incidents/person";
import { kindWord } from "../../features/plans/words";
import type { Hides, Read, Sight } from "../../features/tiles/digest";
import { m } from "../../i18n/paraglide/messages.js";
import type { Room } from "../../stores/room.svelte";
import type { Incident, Plan } from "../../wire/wire";

/** Slugs of the table of incident types that are police, the municipal one included (domain.md, section 9: a guest scene hides police units). */
const POLICE = "polres";
const ORDER = "satpolpp";
const NOBODY: Hides = { has: () => false };

/**
 * Whose units a scene hides. Visitors see only agencies that the table of types names for what is not police's, by their slug or by whom they
 * stand for: an agency of which that is not known is hidden, and so is every one until the profile and the table are known.
 */
export function hiddenBy(
  scene: Scene,
  profile: Profile | null,
  types: readonly IncidentType[],
): Hides {
  if (scene.redact.length === 0) return NOBODY;
  const civil = new Set(types.flatMap((t) => [t.lead, ...t.support]));
  civil.delete(POLICE);
  civil.delete(ORDER);
  const open = new Set(
    (profile?.agencies ?? []).flatMap((a) => {
      const stands = [a.slug, ...(a.acts_as ?? [])];
      return !stands.includes(POLICE) && stands.some((s) => civil.has(s))
        ? [a.slug]
        : [];
    }),
  );
  return { has: (agency) => !open.has(agency) };
}

/** An incident as a visitor sees it: what, where and how far. Whatever somebody typed or is called is left out, and so is what is not named here. */
export function forVisitors(
  i: Incident,
  type: string,
  hidden: Hides,
): Incident {
  return {
    id: i.id,
    number: i.number,
    type: i.type,
    title: type,
    severity: i.severity,
    status: i.status,
    version: i.version,
    lead_agency: hidden.has(i.lead_agency) ? "" : i.lead_agency,
    support: i.support.filter((a) => !hidden.has(a)),
    location: i.location,
    cell: i.cell,
    area_name: i.area_name,
    opened_at: i.opened_at,
    updated_at: i.updated_at,
    times: i.times,
    sla: i.sla,
    why: { inputs: [] },
    evidence: [],
    timeline: [],
    dispatches: [],
    victims: null,
    decision: null,
    on_hold: null,
    disputed: null,
    proof: { need: 0, have: [] },
    simulated: i.simulated,
    external_refs: [],
    handover: null,
    ...(i.exercise && { exercise: true }),
  };
}

/** Who holds the wall, in words: visitors are told that somebody does, and not who. */
export const holderWord = (scene: Scene, { heldBy }: Wall): string =>
  scene.redact.length > 0 ? m.limited_person() : personWord(heldBy);

/** A plan as a visitor sees it: of which kind, where and until when. */
export function planForVisitors(p: Plan): Plan {
  const seen: Plan = { ...p, title: kindWord(p.kind), by: "" };
  delete seen.note;
  delete seen.end_reason;
  delete seen.ended_by;
  return seen;
}

export function sightOf(
  room: Room,
  incidents: readonly Incident[],
  lang: Lang,
  hidden: Hides,
  plans: readonly Plan[] = room.plans.all,
): Sight {
  const things = (kinds: readonly string[]): Read[] => {
    const wanted = new Set(kinds);
    const out: Read[] = [];
    for (let i = 0; i < room.fleet.size; i++)
      if (wanted.has(room.fleet.kindOf(i))) out.push(room.fleet.at(i));
    return out;
  };
  return {
    now: room.now,
    zone: room.zone,
    lang,
    profile: room.profile,
    things,
    incidents,
    alerts: room.alerts.all,
    alarms: room.alarms.all,
    units: room.units.all,
    plans,
    statements: room.statements.all,
    statuses: room.statuses.all,
    hidden,
  };
}
