// Figures in words: never 0 or a dash for what is not known.
import type { Group, Place, Share, Times } from "../../api/briefing";
import { wordsOf, type Profile } from "../../api/profile";
import type { IncidentType } from "../../api/incidents";
import { number } from "../../i18n/format";
import type { Lang } from "../../i18n/lang.svelte";
import { m } from "../../i18n/paraglide/messages.js";
import { typeWord } from "../incidents/title";

/** Why a figure is not told: too few cases, or none. */
export const untold = (n: number): string =>
  n > 0 ? m.brf_few() : m.brf_none();

/** Seconds as people read them beside each other: figure and unit apart. */
export function spanParts(s: number): { figure: string; unit: string } {
  if (s < 60) return { figure: number(s, 0), unit: m.unit_second() };
  if (s < 5_940) return { figure: number(s / 60, 0), unit: m.unit_minute() };
  if (s < 172_800) return { figure: number(s / 3600), unit: m.unit_hour() };
  return { figure: number(s / 86_400), unit: m.unit_day() };
}

/** "12 mnt". */
export function span(s: number): string {
  const { figure, unit } = spanParts(s);
  return `${figure} ${unit}`;
}

/** "78 %" of a share 0 to 1. */
export const percent = (share: number): string => `${number(share * 100, 0)} %`;

export const ofWords = ({ met, n }: Share): string =>
  m.brf_of({ met: number(met, 0), n: number(n, 0) });

export const agencyWord = (
  profile: Profile | null,
  slug: string,
  lang: Lang,
): string => {
  if (slug === "") return m.brf_no_agency();
  const known = profile?.agencies.find(
    (a) => a.slug === slug || a.acts_as?.includes(slug),
  );
  return wordsOf(known?.names, lang) || known?.name || slug;
};

export function groupWord(
  g: Group,
  profile: Profile | null,
  types: readonly IncidentType[],
  lang: Lang,
): string {
  if (g.by === "agency") return agencyWord(profile, g.agency ?? "", lang);
  if (g.by === "type") return typeWord(g.type ?? "", types, lang);
  return g.area ?? m.place_outside();
}

/** What an H3 index ends with below its own resolution: it tells no cells apart. */
const BELOW = /f+$/;

/** A cell by the district that it lies in, and what tells it from its neighbours. */
export const placeOf = (p: Place): string =>
  `${p.area || m.place_outside()}, ${m.brf_cell({ cell: p.cell.replace(BELOW, "") })}`;

const STAGE: readonly [name: string, words: () => string][] = [
  ["detection", m.brf_detection],
  ["ack", m.brf_ack],
  ["dispatch", m.brf_dispatch],
  ["turnout", m.brf_turnout],
  ["travel", m.brf_travel],
  ["response", m.brf_response],
  ["resolve", m.brf_resolve],
];

/** The stages of an incident's life, in their order. */
export const stages = (
  times: Record<string, Times>,
): { name: string; words: string; times: Times }[] =>
  STAGE.flatMap(([name, words]) => {
    const known = times[name];
    return known ? [{ name, words: words(), times: known }] : [];
  });

const RATE: readonly [name: string, words: () => string][] = [
  ["verification", m.brf_rate_verification],
  ["reopen", m.brf_rate_reopen],
  ["dispute", m.brf_rate_dispute],
  ["false_alarm", m.brf_rate_false],
  ["auto_detected", m.brf_rate_auto],
];
export const RATES = RATE;

/** How many of the stamps people entered; null: nobody has noted it. */
export const entered = (share: number | null): string =>
  share === null ? m.brf_unrecorded() : percent(share);

const UNMEASURED: Record<string, () => string> = {
  manual_share: m.brf_by_hand,
  unit_availability: m.brf_un_units,
  referral_time: m.brf_un_referral,
  public_answer: m.brf_un_answer,
};
export const unmeasuredWord = (code: string): string =>
  UNMEASURED[code]?.() ?? code;

/** The groups of one kind that have a name, and how many incidents all others have together. */
export function shown(
  groups: readonly Group[],
  most: number,
): { first: readonly Group[]; rest: readonly Group[]; n: number } {
  const told = groups.filter((g) => !g.hidden);
  const few = groups.filter((g) => g.hidden);
  const first = [...told, ...few].slice(0, most);
  const rest = [...told, ...few].slice(most);
  return { first, rest, n: rest.reduce((sum, g) => sum + g.all, 0) };
}
