// Walls in words: how each fares, what of its settings was changed, and what it shows.
import type { FleetWall, Scene, Wall, WallPatch } from "../../api/walls";
import { age, instant, number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";
import { stateOf } from "../devices/words";

/** A wall tells of itself each half minute; three missed reports are a silence (server/walls, Silent). */
export const SILENT_MS = 90_000;

export type Stand = "silent" | "unheard" | "waiting" | "ok";

export const reportedAt = (w: FleetWall): number | null =>
  instant(w.report?.at ?? null);

/** Waiting: nobody has used its token yet. Unheard: it was let in and has not reported yet. */
export function standOf(w: FleetWall, now: number): Stand {
  if (stateOf(w.device, now) === "waiting") return "waiting";
  const at = reportedAt(w);
  if (at === null) return "unheard";
  return now - at > SILENT_MS ? "silent" : "ok";
}

const WORST: Record<Stand, number> = {
  silent: 0,
  unheard: 1,
  waiting: 2,
  ok: 3,
};

/** Those that are known or awaited, the longest silent first. One whose token lapsed never came, and stands under the devices alone. */
export function worstFirst(
  list: readonly FleetWall[],
  now: number,
): FleetWall[] {
  return list
    .filter((w) => !["removed", "lapsed"].includes(stateOf(w.device, now)))
    .sort((a, b) => {
      const [one, two] = [standOf(a, now), standOf(b, now)];
      if (one !== two) return WORST[one] - WORST[two];
      if (one === "silent") return (reportedAt(a) ?? 0) - (reportedAt(b) ?? 0);
      return a.name.localeCompare(b.name) || a.id.localeCompare(b.id);
    });
}

/** Those that were taken back, the last first. */
export const takenBack = (list: readonly FleetWall[]): FleetWall[] => {
  const at = (w: FleetWall) => instant(w.device.removedAt);
  return list
    .filter((w) => w.device.removedAt !== null)
    .sort((a, b) => (at(b) ?? 0) - (at(a) ?? 0));
};

export const sceneWord = (
  id: string,
  scenes: readonly Scene[],
  lang: string,
): string => scenes.find((s) => s.id === id)?.name[lang] ?? id;

/** What it is set to show: a tour, or one scene. */
export const showsWord = (
  w: Pick<Wall, "scene" | "tour">,
  scenes: readonly Scene[],
  lang: string,
): string =>
  w.tour.length > 1
    ? m.wal_tours({
        scenes: w.tour.map((id) => sceneWord(id, scenes, lang)).join(", "),
      })
    : sceneWord(w.scene, scenes, lang);

/** What a wall has last said that it shows; null: it has said nothing. */
export interface Glass {
  scene: string;
  at: number;
  /** It is not what the wall is set to: something came by itself, or the wall has not said anything since it was set. */
  differs: boolean;
}

export function glassOf(w: FleetWall): Glass | null {
  const at = reportedAt(w);
  if (!w.report || at === null || w.report.scene === "") return null;
  const { scene } = w.report;
  const differs =
    w.tour.length > 1 ? !w.tour.includes(scene) : scene !== w.scene;
  return { scene, at, differs };
}

/** What stands on the glass with its age, and what it is set to where that is another thing. */
export function glassWords(
  w: FleetWall,
  scenes: readonly Scene[],
  lang: string,
  now: number,
): string {
  const set = m.wal_set_to({ scene: showsWord(w, scenes, lang) });
  const glass = glassOf(w);
  if (!glass) return set;
  const shows = m.wal_shows_ago({
    scene: sceneWord(glass.scene, scenes, lang),
    age: age(Math.max(0, now - glass.at)),
  });
  return glass.differs || w.tour.length > 1 ? `${shows} · ${set}` : shows;
}

export const heldBy = (w: Wall, now: number): boolean =>
  w.heldBy !== "" && (instant(w.heldUntil) ?? Infinity) > now;

/** Settings as a form has them: figures are text until they are sent. */
export interface Draft {
  name: string;
  place: string;
  screen: string;
  scene: string;
  tour: string[];
  /** null: as long as each scene says. */
  dwell: number | null;
  language: "id" | "en";
  scale: number | null;
  distance: number | null;
  mm: number | null;
  part: string;
  sound: boolean;
}

export const draftOf = (w: Wall): Draft => ({
  name: w.name,
  place: w.place,
  screen: w.screen,
  scene: w.scene,
  tour: [...w.tour],
  dwell: w.dwellS || null,
  language: w.language,
  scale: w.textScale,
  distance: w.distanceM,
  mm: w.mmPerPx,
  part: w.part,
  sound: w.sound,
});

/** What a form changes of a wall, and nothing else: who else changes it meanwhile is not undone. */
export function patchOf(was: Draft, is: Draft): WallPatch {
  const out: WallPatch = {};
  if (is.name.trim() !== was.name) out.name = is.name.trim();
  if (is.place.trim() !== was.place) out.place = is.place.trim();
  if (is.screen.trim() !== was.screen) out.screen = is.screen.trim();
  if (is.scene !== was.scene) out.scene = is.scene;
  if (is.tour.join() !== was.tour.join()) out.tour = [...is.tour];
  if (is.dwell !== was.dwell) out.dwell_s = is.dwell ?? 0;
  if (is.language !== was.language) out.language = is.language;
  if (is.scale !== null && is.scale !== was.scale) out.text_scale = is.scale;
  if (is.distance !== null && is.distance !== was.distance)
    out.distance_m = is.distance;
  if (is.mm !== null && is.mm !== was.mm) out.mm_per_px = is.mm;
  if (is.part.trim() !== was.part) out.part = is.part.trim();
  if (is.sound !== was.sound) out.sound = is.sound;
  return out;
}

/** Bytes as megabytes; 0: the browser does not say. */
export const heapWord = (bytes: number): string =>
  bytes > 0 ? `${number(bytes / 1_048_576, 0)} MB` : m.wal_unsaid();
