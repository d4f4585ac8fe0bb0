// Which scene a wall shows now. Pure, and the same on every screen that is told the same: a tour turns by the server's time, without a message.
import type { Scene, Wall } from "../../api/walls";
import { instant } from "../../i18n/instant";
import { unacknowledged } from "../incidents/rank";
import { STATIONS } from "../../map/kinds";
import { kindsOf } from "../tiles/kinds";
import type { AreaStatus, Incident } from "../../wire/wire";

/** Where the house has no scene of the name that is asked for. */
export const PLAIN: Scene = {
  id: "normal",
  name: { id: "Normal", en: "Normal" },
  map: { fit: "incidents", layers: ["*"], types: [], inset: true },
  rail: ["focus", "list", "units"],
  over: ["cameras"],
  foot: ["sources", "latency", "alarms", "weather", "hazard"],
  when: null,
  frame: null,
  redact: [],
  dim: 0,
  message: false,
  dwellS: 30,
};

/** Before the house has told what this wall shows: it may be a wall for visitors, so nothing is shown that they may not see. */
export const UNTOLD: Scene = {
  ...PLAIN,
  map: { fit: "incidents", layers: [], types: [], inset: true },
  rail: [],
  over: [],
  redact: ["police"],
};

export interface Shown {
  scene: Scene;
  /** The situation asks for this one, and somebody holds the wall; null: it shows what is asked for. */
  suggested: Scene | null;
  /** The tour stands still for an incident that nobody has acknowledged. */
  stopped: boolean;
}

export interface Situation {
  scenes: readonly Scene[];
  wall: Wall | null;
  /** The house has told both. */
  told: boolean;
  /** A scene that the address names; empty: none. It is a person's window that is asked for one: a wall shows what it is set to. */
  named: string;
  statuses: readonly AreaStatus[];
  /** Worst first. */
  incidents: readonly Incident[];
  /** Server time, ms. */
  now: number;
}

/** Whether a level is news to whoever chose what the wall shows: higher than it was then, or as high again after it had fallen. */
function risen(
  { hazard, level, since }: AreaStatus,
  chosen: Wall["chosen"],
): boolean {
  if (!chosen) return true;
  const then = chosen.levels[hazard] ?? 0;
  if (level !== then) return level > then;
  return (instant(since) ?? 0) > (instant(chosen.at) ?? 0);
}

/** The worst level of the area by which a scene comes; 0: it does not. */
export function calledFor(
  { when }: Scene,
  statuses: readonly AreaStatus[],
): number {
  if (!when) return 0;
  const levels = statuses
    .filter((s) => !s.simulated && when.hazards.includes(s.hazard))
    .map((s) => s.level);
  const worst = Math.max(0, ...levels);
  return worst >= when.level ? worst : 0;
}

/** The scene that the situation asks for: of the worst hazard, the first in the house's order among equals; null: none. */
export function asked(
  scenes: readonly Scene[],
  statuses: readonly AreaStatus[],
): Scene | null {
  let best: Scene | null = null;
  let level = 0;
  for (const scene of scenes) {
    const calls = calledFor(scene, statuses);
    if (calls > level) {
      level = calls;
      best = scene;
    }
  }
  return best;
}

/** What cannot be missed by whoever looks now: Extreme, and nobody has it. */
export const urgent = (incidents: readonly Incident[]): Incident | undefined =>
  incidents.find((i) => i.severity === "Extreme" && unacknowledged(i));

const shows = (scene: Scene, { type }: Incident): boolean =>
  scene.map !== null &&
  scene.rail.includes("focus") &&
  (scene.map.types.length === 0 || scene.map.types.includes(type));

/** Whether somebody holds the wall: nothing changes it by itself then. */
export const held = (wall: Wall | null, now: number): boolean => {
  const until = instant(wall?.heldUntil);
  return wall !== null && wall.heldBy !== "" && (until === null || until > now);
};

/** What a scene hides and marks; scenes of one guard may follow each other by themselves. */
const guardOf = ({ redact, frame }: Scene): string =>
  `${[...redact].sort().join(" ")}/${frame ?? ""}`;

/** The tour, in which nothing that one scene hides or marks is shown bare by the next: the house takes no other, and an old one is cut to its guarded scenes. */
function tourOf(scenes: readonly Scene[]): readonly Scene[] {
  const guarded = scenes.find((s) => guardOf(s) !== guardOf(PLAIN));
  if (!guarded) return scenes;
  return scenes.filter((s) => guardOf(s) === guardOf(guarded));
}

/** The scene of a tour that stands at a time: each as long as the wall says, and where it says nothing (0), as long as the scene does itself. */
function turnOf(
  tour: readonly Scene[],
  dwellS: number,
  now: number,
): Scene | undefined {
  const stays = tour.map((s) => Math.max(5, dwellS || s.dwellS) * 1000);
  let left = now % stays.reduce((all, one) => all + one, 0);
  return tour.find((_, i) => (left -= stays[i] ?? 0) < 0);
}

export function sceneNow(at: Situation): Shown {
  const { scenes, wall, now } = at;
  if (!at.told) return { scene: UNTOLD, suggested: null, stopped: false };
  const byId = (id: string) => scenes.find((s) => s.id === id);
  const named = wall?.id ? "" : at.named;
  const set = byId(named) ?? byId(wall?.scene ?? "") ?? byId("normal") ?? PLAIN;
  const asks = asked(scenes, at.statuses);
  const instead = (scene: Scene) =>
    asks && asks.id !== scene.id ? asks : null;
  const tour = tourOf((wall?.tour ?? []).flatMap((id) => byId(id) ?? []));
  // What hides or marks something is never replaced by what does not; a tour of scenes that do the same turns.
  const guard = guardOf(set);
  const alike = tour.length > 1 && tour.every((s) => guardOf(s) === guard);
  if (named !== "" || (guard !== guardOf(PLAIN) && !alike))
    return { scene: set, suggested: instead(set), stopped: false };
  const guarded = tour.find((s) => guardOf(s) !== guardOf(PLAIN));
  // By itself a scene only goes up: what the situation asks for stands over what was set, and over the tour, until a person chooses
  // over it; then only what has risen since.
  const chosen = wall?.chosen ?? null;
  // Nothing comes by itself while somebody holds the wall; the tour that is held goes on.
  const news = held(wall, now)
    ? null
    : asked(
        scenes,
        at.statuses.filter((s) => risen(s, chosen)),
      );
  if (news && !guarded) return { scene: news, suggested: null, stopped: false };
  const still = guarded ?? set;
  if (tour.length < 2 || now <= 0)
    return { scene: still, suggested: instead(still), stopped: false };
  const worst = urgent(at.incidents);
  const home = worst && (tour.find((s) => shows(s, worst)) ?? still);
  if (home) return { scene: home, suggested: instead(home), stopped: true };
  const turn = turnOf(tour, wall?.dwellS ?? 0, now) ?? set;
  return { scene: turn, suggested: instead(turn), stopped: false };
}

/**
 * The kinds of Things that the server is asked for. A scene for visitors asks for no more than it names: what is hidden never comes.
 * Others ask for stations as well, which are the evidence of incidents, and without a map for all, by which the age of the picture is known.
 */
export function layersOf(scene: Scene): readonly string[] {
  const { map, rail, over, foot, redact } = scene;
  if (!map && redact.length === 0) return ["*"];
  const layers = map?.layers ?? [];
  if (layers.includes("*")) return redact.length === 0 ? ["*"] : [];
  const evidence = redact.length === 0 ? STATIONS : [];
  const tiles = kindsOf([...rail, ...over, ...foot]);
  return [...new Set([...layers, ...tiles, ...evidence])];
}

/** The kinds of Things that the map draws; null: every kind. */
export function kindsDrawn({ map, redact }: Scene): ReadonlySet<string> | null {
  const layers = map?.layers ?? [];
  if (!layers.includes("*")) return new Set(layers);
  return redact.length === 0 ? null : new Set();
}

/**
 * What a scene shows of the incidents: those of its types, and always what is Extreme and what a desk has put in focus; visitors see no other
 * types at all.
 */
export function ofScene<T extends Incident>(
  { map, redact }: Scene,
  incidents: readonly T[],
  focus: string | null = null,
): readonly T[] {
  const types = map?.types ?? [];
  // For visitors a scene names what it shows; one that names nothing shows nothing.
  if (types.length === 0) return redact.length === 0 ? incidents : [];
  return incidents.filter(
    (i) =>
      types.includes(i.type) ||
      ((i.severity === "Extreme" || i.id === focus) && redact.length === 0),
  );
}
