// What a tile of the wall says: a title, lines with their ages, and the words for nothing. One digest is drawn as rows in the rail and as one
// line in the footer. Pure but for the words.
import { agencyName, type Profile } from "../../api/profile";
import {
  age,
  fixed,
  instant,
  number,
  stamp,
  unitSign,
} from "../../i18n/format";
import type { Lang } from "../../i18n/lang.svelte";
import { m } from "../../i18n/paraglide/messages.js";
import type {
  Alarm,
  Alert,
  AreaStatus,
  Dispatch,
  Incident,
  Plan,
  Severity,
  Statement,
  Unit,
} from "../../wire/wire";
import { eventOf, inForce, originOf, quakes, weather } from "../alerts/pick";
import { unacknowledged } from "../incidents/rank";
import { placeWord, statusWord } from "../incidents/words";
import { hazardWord, levelWord, NORMAL, scaleWords } from "../status/level";
import { TILE_KINDS } from "./kinds";

export interface Line {
  key: string;
  words: string;
  value: string;
  /** When it was so, ms since 1970; null: it has no age of its own. */
  at: number | null;
  stale: boolean;
  simulated: boolean;
  /** Severity of what the line is of; null: it is none. */
  severity: Severity | null;
}

export interface Digest {
  title: string;
  lines: Line[];
  /** Why there is no line. */
  none: string;
}

/** One Thing, as far as a tile reads it. */
export interface Read {
  id: string;
  name: string;
  simulated: boolean;
  staleAtMs: number;
  values: readonly {
    property: string;
    value: number | string | boolean;
    unit: string;
    atMs: number;
  }[];
}

/** Agencies that a scene hides. */
export interface Hides {
  has: (agency: string) => boolean;
}

/** What tiles read of the room. */
export interface Sight {
  now: number;
  zone: string;
  lang: Lang;
  profile: Profile | null;
  things: (kinds: readonly string[]) => Read[];
  incidents: readonly Incident[];
  alerts: readonly Alert[];
  alarms: readonly Alarm[];
  units: readonly Unit[];
  plans: readonly Plan[];
  statements: readonly Statement[];
  statuses: readonly AreaStatus[];
  hidden: Hides;
}

const line = (
  key: string,
  words: string,
  value: string,
  more: Partial<Line> = {},
): Line => ({
  key,
  words,
  value,
  at: null,
  stale: false,
  simulated: false,
  severity: null,
  ...more,
});

/** Readings of a property, what bears an open incident first, then the highest; a stale one keeps its place and says so. */
function readings(
  sight: Sight,
  kinds: readonly string[],
  properties: readonly string[],
): Line[] {
  const bearing = new Set(
    sight.incidents.flatMap((i) =>
      i.evidence.filter((e) => e.kind === "observation").map((e) => e.ref),
    ),
  );
  return sight
    .things(kinds)
    .flatMap((t) => {
      const v = properties
        .map((p) => t.values.find((x) => x.property === p))
        .find((x) => typeof x?.value === "number");
      return v && typeof v.value === "number"
        ? [{ t, v, value: v.value, bears: bearing.has(t.id) }]
        : [];
    })
    .sort((a, b) => Number(b.bears) - Number(a.bears) || b.value - a.value)
    .map(({ t, v, value }) =>
      line(t.id, t.name || t.id, `${number(value, 2)} ${unitSign(v.unit)}`, {
        at: v.atMs,
        stale: t.staleAtMs < sight.now,
        simulated: t.simulated,
      }),
    );
}

const until = (s: Sight, at: string | null | undefined) => {
  const end = instant(at);
  return end === null ? "" : m.tile_until({ time: stamp(end, s.now, s.zone) });
};

const ROADS = new Set([
  "road_blocked",
  "road_damage",
  "bridge_damage",
  "congestion",
  "truck_stall",
  "traffic_injury",
  "traffic_damage",
]);

const ON_DUTY = new Set([
  "available",
  "offered",
  "en_route",
  "on_scene",
  "returning",
]);

function byAgency(s: Sight): [string, Unit[]][] {
  const of = new Map<string, Unit[]>();
  for (const u of s.units) {
    if (s.hidden.has(u.agency)) continue;
    of.set(u.agency, [...(of.get(u.agency) ?? []), u]);
  }
  return [...of].sort(([a], [b]) => (a < b ? -1 : 1));
}

const agency = (s: Sight, slug: string): string =>
  s.profile ? agencyName(s.profile, slug, s.lang) : slug;

/** Who is on the way to an incident, or there. */
export const onTheirWay = (
  dispatches: readonly Dispatch[],
  incident: string,
  hidden: Hides,
): Dispatch[] =>
  dispatches.filter(
    (d) =>
      d.incident === incident &&
      !hidden.has(d.agency) &&
      (d.status === "en_route" || d.status === "on_scene"),
  );

/** How an agency's units stand. */
export interface Standing {
  slug: string;
  name: string;
  /** As a narrow tile says it. */
  short: string;
  free: number;
  all: number;
}

/** Units of each agency, those with none left first, then those with most. */
const SHORT = 9;
export const standing = (s: Sight): Standing[] =>
  byAgency(s)
    .map(([slug, all]) => ({
      slug,
      name: agency(s, slug),
      short: slug.length > SHORT ? agency(s, slug) : slug.replace(/[-_]/g, " "),
      free: all.filter((u) => u.status === "available").length,
      all: all.length,
    }))
    .sort(
      (a, b) =>
        Number(a.free > 0) - Number(b.free > 0) ||
        b.all - a.all ||
        (a.slug < b.slug ? -1 : 1),
    );

const TILES: Record<string, (s: Sight) => Digest> = {
  gauges: (s) => ({
    title: m.tile_gauges(),
    lines: readings(s, TILE_KINDS.gauges, ["water_level"]),
    none: m.tile_gauges_none(),
  }),
  rain: (s) => ({
    title: m.tile_rain(),
    lines: readings(s, TILE_KINDS.rain, ["rainfall", "rain", "precipitation"]),
    none: m.tile_rain_none(),
  }),
  quakes: (s) => ({
    title: m.tile_quakes(),
    lines: quakes(s.alerts).map((a) =>
      line(
        a.identifier,
        a.quake?.magnitude == null
          ? m.quake_title_unknown()
          : m.quake_title({ magnitude: fixed(a.quake.magnitude, 1) }),
        a.quake ? m.quake_distance({ km: number(a.quake.distance_km, 0) }) : "",
        { at: originOf(a), simulated: a.simulated, severity: a.severity },
      ),
    ),
    none: m.tile_quakes_none(),
  }),
  volcano: (s) => ({
    title: m.tile_volcano(),
    lines: s.statements
      .filter((x) => x.scale.includes("volcano"))
      .map((x) => {
        const said = scaleWords(s.profile, x, s.lang);
        return line(x.id, x.name || x.subject, said.step, {
          at: instant(x.stated_at),
        });
      }),
    none: m.tile_volcano_none(),
  }),
  weather: (s) => ({
    title: m.tile_weather(),
    lines: weather(s.alerts)
      .filter((a) => a.relevant && inForce(a, s.now))
      .map((a) =>
        line(a.identifier, eventOf(a, s.lang), until(s, a.expires), {
          at: instant(a.sent),
          simulated: a.simulated,
          severity: a.severity,
        }),
      ),
    none: m.tile_weather_none(),
  }),
  roads: (s) => ({
    title: m.tile_roads(),
    lines: s.incidents
      .filter((i) => ROADS.has(i.type))
      .map((i) =>
        line(i.id, `${i.title}, ${placeWord(i)}`, statusWord(i.status), {
          at: instant(i.opened_at),
          simulated: i.simulated,
          severity: i.severity,
        }),
      ),
    none: m.tile_roads_none(),
  }),
  notices: (s) => ({
    title: m.tile_notices(),
    lines: [
      ...s.statements
        .filter((x) => !x.scale.includes("volcano"))
        .map((x) => {
          const said = scaleWords(s.profile, x, s.lang);
          return line(
            x.id,
            `${said.scale}: ${x.name || x.subject}`,
            `${said.step} ${until(s, x.valid_until)}`.trim(),
            { at: instant(x.stated_at) },
          );
        }),
      ...s.plans.map((p) => line(p.id, p.title, until(s, p.to))),
    ],
    none: m.tile_notices_none(),
  }),
  units: (s) => ({
    title: m.tile_units(),
    lines: standing(s).map(({ slug, name, free, all }) =>
      line(
        slug,
        name,
        m.tile_units_of({ free: number(free, 0), all: number(all, 0) }),
      ),
    ),
    none: m.tile_units_none(),
  }),
  duty: (s) => ({
    title: m.tile_duty(),
    lines: byAgency(s).flatMap(([slug, all]) => {
      const on = all.filter((u) => ON_DUTY.has(u.status));
      if (on.length === 0) return [];
      const ends = on.flatMap((u) => instant(u.shift_until) ?? []);
      const count = number(on.length, 0);
      return line(
        slug,
        agency(s, slug),
        ends.length === 0
          ? m.tile_duty_open({ count })
          : m.tile_duty_until({
              count,
              time: stamp(Math.min(...ends), s.now, s.zone),
            }),
      );
    }),
    none: m.tile_duty_none(),
  }),
  figures: (s) => {
    const oldest = Math.min(
      ...s.incidents.flatMap((i) => instant(i.opened_at) ?? []),
    );
    const count = (of: (i: Incident) => boolean) =>
      number(s.incidents.filter(of).length, 0);
    return {
      title: m.tile_figures(),
      lines: [
        line(
          "open",
          m.tile_figures_open(),
          count(() => true),
        ),
        line("new", m.tile_figures_new(), count(unacknowledged)),
        line(
          "scene",
          m.tile_figures_scene(),
          count((i) => i.status === "on_scene"),
        ),
        ...(Number.isFinite(oldest)
          ? [line("oldest", m.tile_figures_oldest(), age(s.now - oldest))]
          : []),
      ],
      none: "",
    };
  },
  level: (s) => ({
    title: m.tile_level(),
    lines: s.statuses
      .filter((x) => x.level > NORMAL)
      .sort((a, b) => b.level - a.level)
      .map((x) =>
        line(
          x.id,
          hazardWord(x, s.lang),
          `${number(x.level, 0)} ${levelWord(s.profile, x.level, s.lang)}`,
          { at: instant(x.since), simulated: x.simulated },
        ),
      ),
    none: m.tile_level_none(),
  }),
  alarms: (s) => {
    const by = ["P1", "P2", "P3"].map((p) => {
      const all = s.alarms.filter((a) => a.priority === p && a.active);
      const waiting = all.filter((a) => a.state === "raised").length;
      return { p, all: all.length, waiting };
    });
    return {
      title: m.tile_alarms(),
      lines: by
        .filter((x) => x.all > 0)
        .map((x) =>
          line(
            x.p,
            x.p,
            m.tile_alarms_of({
              waiting: number(x.waiting, 0),
              all: number(x.all, 0),
            }),
          ),
        ),
      none: m.tile_alarms_none(),
    };
  },
};
// The strip of hazards is the newest quake; the scene of a quake has them all.
TILES["hazard"] = TILES["quakes"] as (s: Sight) => Digest;

/** What a tile says; null: it is none of these. */
export const digestOf = (tile: string, sight: Sight): Digest | null =>
  TILES[tile]?.(sight) ?? null;
