import { describe, expect, it } from "vitest";
import { fleetWallOf } from "../../api/walls";
import {
  draftOf,
  glassOf,
  glassWords,
  patchOf,
  SILENT_MS,
  standOf,
  takenBack,
  worstFirst,
} from "./words";

const NOW = Date.parse("2026-01-01T00:10:00Z");
const wall = (name: string, agoMs: number | null, more: object = {}) =>
  fleetWallOf({
    id: name,
    name,
    scene: "normal",
    enrolled_at: "2026-01-01T00:00:00Z",
    report: agoMs === null ? null : { at: new Date(NOW - agoMs).toISOString() },
    ...more,
  });

describe("walls", () => {
  it("are silent after three missed reports, and unheard before the first", () => {
    expect(standOf(wall("a", SILENT_MS), NOW)).toBe("ok");
    expect(standOf(wall("a", SILENT_MS + 1), NOW)).toBe("silent");
    expect(standOf(wall("a", null), NOW)).toBe("unheard");
  });

  it("that nobody has brought in yet are awaited, and none of them once the token has lapsed", () => {
    const invited = (until: string) =>
      wall("a", null, { enrolled_at: null, expires_at: until });
    const awaited = invited("2026-01-02T00:00:00Z");
    const lapsed = invited("2026-01-01T00:00:00Z");
    expect(standOf(awaited, NOW)).toBe("waiting");
    expect(worstFirst([awaited, lapsed], NOW)).toEqual([awaited]);
  });

  it("that were taken back stand apart, the last first", () => {
    const gone = (name: string, at: string) =>
      wall(name, null, { removed_at: at });
    const list = [
      gone("first", "2026-01-01T00:00:00Z"),
      wall("here", 1_000),
      gone("last", "2026-01-01T00:05:00Z"),
    ];
    expect(takenBack(list).map((w) => w.name)).toEqual(["last", "first"]);
  });

  it("the longest silent stands first, then who was never heard; who was removed does not stand", () => {
    const list = [
      wall("b", 1_000),
      wall("a", 2_000),
      wall("new", null),
      wall("short", 120_000),
      wall("long", 600_000),
      wall("gone", 600_000, { removed_at: "2026-01-01T00:00:00Z" }),
    ];
    expect(worstFirst(list, NOW).map((w) => w.name)).toEqual([
      "long",
      "short",
      "new",
      "a",
      "b",
    ]);
  });

  it("what is shown and what is set are told apart, with the age of the wall's word", () => {
    const at = new Date(NOW - 12_000).toISOString();
    const shows = (scene: string, tour: string[] = []) =>
      wall("a", null, { scene: "normal", tour, report: { at, scene } });
    expect(glassOf(wall("a", null))).toBeNull();
    expect(glassOf(shows("normal"))).toEqual({
      scene: "normal",
      at: NOW - 12_000,
      differs: false,
    });
    expect(glassOf(shows("flood"))?.differs).toBe(true);
    expect(glassOf(shows("flood", ["normal", "flood"]))?.differs).toBe(false);
    expect(glassOf(shows("quake", ["normal", "flood"]))?.differs).toBe(true);
    const words = glassWords(shows("flood"), [], "en", NOW);
    expect(words).toContain("flood, 12");
    expect(words).toContain("normal");
    expect(glassWords(shows("normal"), [], "en", NOW)).not.toContain("·");
    expect(glassWords(wall("a", null), [], "en", NOW)).toContain("normal");
  });

  it("tells of a wall whose browser holds its alarm sound back", () => {
    const at = new Date(NOW).toISOString();
    const says = (more: object) =>
      wall("a", null, { report: { at, ...more } }).report?.sound_blocked;
    expect(says({ sound_blocked: true })).toBe(true);
    expect(says({})).toBe(false);
  });

  it("a form sends what it changed and no more", () => {
    const was = draftOf(wall("a", 0));
    expect(patchOf(was, { ...was, name: " a " })).toEqual({});
    expect(
      patchOf(was, { ...was, place: "Lobi", mm: 1.2, distance: null }),
    ).toEqual({ place: "Lobi", mm_per_px: 1.2 });
    expect(patchOf(was, { ...was, tour: ["normal", "flood"] })).toEqual({
      tour: ["normal", "flood"],
    });
    expect(was.dwell).toBeNull();
    const timed = draftOf(wall("a", 0, { dwell_s: 45 }));
    expect(patchOf(timed, { ...timed, dwell: null })).toEqual({ dwell_s: 0 });
  });
});
