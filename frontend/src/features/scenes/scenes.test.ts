import { describe, expect, it } from "vitest";
import type { Scene, Wall } from "../../api/walls";
import type { AreaStatus, Incident } from "../../wire/wire";
import { edges, gridOf, partOf } from "./part";
import { rowsOf, type Asked } from "./room";
import { capMm, textScale } from "./scale";
import {
  kindsDrawn,
  layersOf,
  ofScene,
  PLAIN,
  sceneNow,
  UNTOLD,
  type Situation,
} from "./scene";

describe("a part of a picture", () => {
  it("lies in the squarest grid, in reading order", () => {
    expect(gridOf(2)).toEqual({ columns: 2, rows: 1 });
    expect(gridOf(3)).toEqual({ columns: 3, rows: 1 });
    expect(gridOf(4)).toEqual({ columns: 2, rows: 2 });
    expect(gridOf(6)).toEqual({ columns: 3, rows: 2 });
    expect(gridOf(12)).toEqual({ columns: 4, rows: 3 });
    expect(partOf("2/4")).toEqual({ columns: 2, rows: 2, column: 1, row: 0 });
    expect(partOf("3/4")).toEqual({ columns: 2, rows: 2, column: 0, row: 1 });
    expect(partOf("6/6")).toEqual({ columns: 3, rows: 2, column: 2, row: 1 });
  });

  it("is none where the words say none", () => {
    for (const bad of [
      "",
      "lobi",
      "0/4",
      "5/4",
      "1/1",
      "2/99",
      "2/4/6",
      " 2/4",
    ])
      expect(partOf(bad)).toBeNull();
  });

  it("every screen of a picture has its own part, and each edge stands somewhere", () => {
    for (const n of [2, 3, 4, 6, 8, 9, 12]) {
      const parts = Array.from({ length: n }, (_, i) =>
        partOf(`${i + 1}/${n}`),
      );
      const places = new Set(parts.map((p) => `${p?.column} ${p?.row}`));
      expect(places.size).toBe(n);
      for (const edge of ["head", "foot", "rail"] as const)
        expect(parts.some((p) => edges(p)[edge])).toBe(true);
    }
  });
});

describe("the size of text", () => {
  it("is as drawn on the wall that it was drawn for", () => {
    expect(textScale(6, 1.5, 1, 1)).toBeCloseTo(1, 1);
    expect(capMm(6)).toBeCloseTo(36.1, 0);
  });
  it("grows with the distance and with finer pixels", () => {
    expect(textScale(9, 1.5, 1, 1)).toBeCloseTo(1.5, 1);
    expect(textScale(6, 1.13, 1, 1)).toBeCloseTo(1.34, 1);
    expect(textScale(6, 0.75, 2, 1)).toBeCloseTo(1, 1);
  });
  it("stays as drawn where nobody has measured, but for what is set by hand, within reason", () => {
    expect(textScale(6, 0, 1, 1)).toBe(1);
    expect(textScale(6, 0, 1, 1.2)).toBe(1.2);
    expect(textScale(60, 0.1, 1, 1)).toBe(2);
    expect(textScale(1, 3, 2, 1)).toBe(0.7);
  });
});

const scene = (id: string, more: Partial<Scene> = {}): Scene => ({
  ...PLAIN,
  id,
  ...more,
});
const NORMAL = scene("normal");
const FLOOD = scene("flood", {
  when: { level: 2, hazards: ["flood"] },
  map: { fit: "incidents", layers: ["*"], types: ["flood"], inset: true },
});
const QUAKE = scene("quake", { when: { level: 2, hazards: ["eq"] } });
const BRIEFING = scene("briefing", { map: null });
const status = (hazard: string, level: number, simulated = false) =>
  ({ hazard, level, simulated }) as AreaStatus;
const wall = (more: Partial<Wall>): Wall =>
  ({
    scene: "normal",
    tour: [],
    dwellS: 20,
    heldBy: "",
    heldUntil: null,
    ...more,
  }) as Wall;
const incident = (type: string, severity: string, stage = "new") =>
  ({ type, severity, status: stage }) as Incident;
const at = (more: Partial<Situation>): Situation => ({
  scenes: [NORMAL, FLOOD, QUAKE, BRIEFING],
  wall: null,
  told: true,
  named: "",
  statuses: [],
  incidents: [],
  now: 1_000_000_000_000,
  ...more,
});
const id = (more: Partial<Situation>) => sceneNow(at(more)).scene.id;

describe("the scene", () => {
  it("is the one that was set, else the normal one, also before the house has spoken", () => {
    expect(id({})).toBe("normal");
    expect(id({ wall: wall({ scene: "quake" }) })).toBe("quake");
    expect(id({ wall: wall({ scene: "gone" }) })).toBe("normal");
    expect(id({ scenes: [] })).toBe("normal");
  });

  it("goes up by itself with the level of the area, to the worst hazard, and not for an exercise", () => {
    expect(id({ statuses: [status("flood", 2)] })).toBe("flood");
    expect(id({ statuses: [status("flood", 2), status("eq", 3)] })).toBe(
      "quake",
    );
    expect(id({ statuses: [status("flood", 1)] })).toBe("normal");
    expect(id({ statuses: [status("flood", 4, true)] })).toBe("normal");
  });

  it("is only suggested while somebody holds the wall, or a window asks for one", () => {
    const statuses = [status("flood", 3)];
    const holds = wall({ scene: "briefing", heldBy: "user:s" });
    expect(sceneNow(at({ statuses, wall: holds }))).toMatchObject({
      scene: { id: "briefing" },
      suggested: { id: "flood" },
    });
    expect(sceneNow(at({ statuses, named: "quake" })).suggested?.id).toBe(
      "flood",
    );
    const over = {
      ...holds,
      heldUntil: new Date(999_999_999_999).toISOString(),
    };
    expect(id({ statuses, wall: over })).toBe("flood");
  });

  it("of a tour that is held turns on, and what comes by itself is only suggested", () => {
    const tour = ["quake", "briefing"];
    const holds = wall({ scene: "normal", tour, heldBy: "user:s" });
    const shown = [0, 20_000].map((ms) =>
      sceneNow(
        at({
          statuses: [status("flood", 3)],
          wall: holds,
          now: 1_000_000_000_000 + ms,
        }),
      ),
    );
    expect(shown.map((s) => s.scene.id).sort()).toEqual(["briefing", "quake"]);
    expect(shown.map((s) => s.suggested?.id)).toEqual(["flood", "flood"]);
  });

  it("shows what a desk has put in focus though its type is left out, and hides it from visitors", () => {
    const scene = (redact: string[]): Scene => ({
      ...NORMAL,
      map: { fit: "area", layers: [], types: ["flood"], inset: false },
      redact,
    });
    const fire = { ...incident("fire_building", "Minor"), id: "f" };
    const flood = { ...incident("flood", "Minor"), id: "w" };
    const ids = (redact: string[], focus: string | null) =>
      ofScene(scene(redact), [fire, flood], focus).map((i) => i.id);
    expect(ids([], null)).toEqual(["w"]);
    expect(ids([], "f")).toEqual(["f", "w"]);
    expect(ids(["police"], "f")).toEqual(["w"]);
  });

  it("that a person chose stays until a level rises further, or again", () => {
    const since = (ms: number) => new Date(ms).toISOString();
    const flood = (level: number, ms: number) => [
      { ...status("flood", level), since: since(ms) },
    ];
    const chosen = { at: since(1_000_000), levels: { flood: 3 } };
    const steered = wall({ scene: "briefing", chosen });
    const shown = (statuses: AreaStatus[]) =>
      sceneNow(at({ wall: steered, statuses }));
    expect(shown(flood(3, 900_000))).toMatchObject({
      scene: { id: "briefing" },
      suggested: { id: "flood" },
    });
    expect(shown(flood(2, 1_200_000)).scene.id).toBe("briefing");
    expect(shown(flood(4, 1_200_000))).toMatchObject({
      scene: { id: "flood" },
      suggested: null,
    });
    // As high as it was, but since later: it had fallen and has come back.
    expect(shown(flood(3, 1_200_000)).scene.id).toBe("flood");
    // Another hazard stood at none.
    const both = [...flood(3, 900_000), status("eq", 2)];
    expect(shown(both).scene.id).toBe("quake");
    const touring = wall({ tour: ["normal", "briefing"], chosen });
    expect(
      sceneNow(at({ wall: touring, statuses: flood(3, 900_000) })),
    ).toMatchObject({ suggested: { id: "flood" }, stopped: false });
    expect(id({ wall: touring, statuses: flood(3, 900_000) })).not.toBe(
      "flood",
    );
  });

  it("of a wall is what it is set to, whatever its address names", () => {
    const visitor = scene("visitor", { redact: ["police"] });
    const scenes = [NORMAL, QUAKE, visitor];
    const named = "quake";
    const set = wall({ id: "w1", scene: "visitor" });
    expect(id({ scenes, named, wall: set })).toBe("visitor");
    expect(id({ scenes, named, wall: { ...set, id: "" } })).toBe("quake");
  });

  it("a visitor's scene is never replaced by one that hides nothing", () => {
    const visitor = scene("visitor", { redact: ["police"] });
    const shown = sceneNow(
      at({
        scenes: [NORMAL, FLOOD, visitor],
        statuses: [status("flood", 4)],
        wall: wall({ scene: "visitor" }),
      }),
    );
    expect(shown.scene.id).toBe("visitor");
    expect(shown.suggested?.id).toBe("flood");
  });

  it("hides all that visitors may not see until the house has told what it is", () => {
    const { scene: first } = sceneNow(
      at({ told: false, statuses: [status("flood", 4)] }),
    );
    expect(first).toBe(UNTOLD);
    expect(first.redact).toEqual(["police"]);
    expect(layersOf(first)).toEqual([]);
    expect(kindsDrawn(first)?.size).toBe(0);
    expect(ofScene(first, [{ type: "medical" } as Incident])).toEqual([]);
    expect(first.rail).toEqual([]);
  });

  it("a tour never goes from what hides or marks to what does not, nor does a level or an Extreme take it there", () => {
    const visitor = scene("visitor", { redact: ["police"] });
    const lobby = scene("lobby", { redact: ["police"], rail: ["level"] });
    const exercise = scene("exercise", { frame: "exercise" });
    const seen = (tour: string[], more: Partial<Situation> = {}) =>
      new Set(
        [0, 20, 40, 60, 80].map((s) =>
          id({
            scenes: [NORMAL, FLOOD, visitor, lobby, exercise],
            wall: wall({ tour, dwellS: 20 }),
            now: 1_200_000_000_000 + s * 1000,
            ...more,
          }),
        ),
      );
    expect(seen(["normal", "visitor", "flood"])).toEqual(new Set(["visitor"]));
    expect(seen(["exercise", "visitor"])).toEqual(new Set(["exercise"]));
    const both = ["visitor", "lobby"];
    expect(seen(both)).toEqual(new Set(both));
    const set = (tour: string[]) => ({
      wall: wall({ scene: "visitor", tour, dwellS: 20 }),
    });
    expect(seen([], set(both))).toEqual(new Set(both));
    expect(seen([], set(["normal", "flood"]))).toEqual(new Set(["visitor"]));
    expect(seen(both, { statuses: [status("flood", 4)] })).toEqual(
      new Set(both),
    );
    expect(seen(both, { incidents: [incident("flood", "Extreme")] })).toEqual(
      new Set(["visitor"]),
    );
  });

  it("asks the server for the kinds that its map and its tiles name, and the map draws no others", () => {
    const layers = (names: string[]) => ({
      map: { fit: "area" as const, layers: names, types: [], inset: false },
    });
    expect(layersOf(NORMAL)).toEqual(["*"]);
    expect(layersOf(BRIEFING)).toEqual(["*"]);
    const flood = scene("flood", {
      ...layers(["river_gauge", "camera"]),
      rail: ["focus", "gauges"],
    });
    const asks = layersOf(flood);
    for (const kind of ["river_gauge", "camera", "lake_buoy", "seismometer"])
      expect(asks).toContain(kind);
    for (const kind of ["*", "truck", "ambulance"])
      expect(asks).not.toContain(kind);
    const shut = scene("v", {
      ...layers(["bus"]),
      redact: ["police"],
      foot: ["gauges"],
    });
    expect(layersOf(shut)).toEqual(["bus", "river_gauge", "lake_buoy"]);
    expect(kindsDrawn(flood)).toEqual(new Set(["river_gauge", "camera"]));
    expect(kindsDrawn(NORMAL)).toBeNull();
    const visitor = { redact: ["police"], foot: [] };
    expect(layersOf(scene("v", { ...visitor, map: null }))).toEqual([]);
    const all = scene("v", { ...visitor, ...layers(["*"]) });
    expect(layersOf(all)).toEqual([]);
    expect(kindsDrawn(all)).toEqual(new Set());
  });

  it("turns with the server's time, alike on every screen", () => {
    const touring = wall({ tour: ["normal", "flood", "briefing"], dwellS: 20 });
    const seen = [0, 20, 40, 60].map((s) =>
      id({ wall: touring, now: 1_200_000_000_000 + s * 1000 }),
    );
    expect(seen).toEqual(["normal", "flood", "briefing", "normal"]);
  });

  it("a scene stays in a tour as long as it says itself, unless the wall says how long", () => {
    const scenes = [
      scene("normal", { dwellS: 30 }),
      scene("briefing", { dwellS: 60, map: null }),
      scene("flood", { dwellS: 10 }),
    ];
    const tour = ["normal", "briefing", "flood"];
    const seen = (dwellS: number, at: number[]) =>
      at.map((s) =>
        id({
          scenes,
          wall: wall({ tour, dwellS }),
          now: 1_200_000_000_000 + s * 1000,
        }),
      );
    expect(seen(0, [0, 29.9, 30, 89.9, 90, 99.9, 100, 130])).toEqual(
      "normal normal briefing briefing flood flood normal briefing".split(" "),
    );
    expect(seen(20, [0, 20, 40, 60])).toEqual([...tour, "normal"]);
  });

  it("before the server's time is known no tour turns", () => {
    const touring = wall({ tour: ["normal", "flood", "briefing"], dwellS: 20 });
    expect(id({ wall: touring, now: 0 })).toBe("normal");
  });

  it("a new Extreme stops the tour where it is shown, until somebody has it", () => {
    const touring = wall({ tour: ["briefing", "flood"], scene: "normal" });
    const over = at({
      wall: touring,
      incidents: [incident("flood", "Extreme")],
    });
    expect(sceneNow(over)).toMatchObject({
      scene: { id: "flood" },
      stopped: true,
    });
    expect(
      id({ wall: touring, incidents: [incident("crime", "Extreme")] }),
    ).toBe("normal");
    const taken = [incident("flood", "Extreme", "acknowledged")];
    expect(sceneNow(at({ wall: touring, incidents: taken })).stopped).toBe(
      false,
    );
  });

  it("leaves out what is not its business, but never what is Extreme", () => {
    const all = [
      incident("crime", "Extreme"),
      incident("flood", "Minor"),
      incident("crime", "Minor"),
    ];
    expect(ofScene(FLOOD, all)).toHaveLength(2);
    expect(ofScene(NORMAL, all)).toHaveLength(3);
    expect(ofScene({ ...FLOOD, redact: ["police"] }, all)).toHaveLength(1);
  });
});

describe("the rail", () => {
  const asks = (more: Partial<Asked>): Asked => ({
    scale: 1,
    framed: false,
    focus: true,
    coming: 0,
    tiles: [],
    units: true,
    incidents: 12,
    warnings: 0,
    ...more,
  });
  it("has seven rows as drawn, and fewer where text is larger, never smaller letters", () => {
    expect(rowsOf(asks({ units: false })).list).toBe(7);
    const rows = [1, 1.1, 1.2, 1.34].map(
      (scale) => rowsOf(asks({ scale })).list,
    );
    expect(rows).toEqual([...rows].sort((a, b) => b - a));
    expect(rows[0]).toBeGreaterThan(rows[3] ?? 0);
    expect(rowsOf(asks({ scale: 2 })).list).toBe(1);
  });
  it("a tile gives way to the incidents before they fall under two rows", () => {
    const rows = rowsOf(asks({ tiles: [30] }));
    expect(rows.list).toBeGreaterThanOrEqual(2);
    expect(rows.tile).toBeGreaterThanOrEqual(1);
    expect(
      rowsOf(asks({ focus: false, incidents: 0, tiles: [30], units: false }))
        .tile,
    ).toBe(7);
  });
  it("an upright screen without a map has room for every line of its tiles, above the controls too", () => {
    const briefing = asks({
      columns: 1,
      focus: false,
      framed: true,
      controls: true,
      incidents: 7,
      tiles: [1, 4, 4],
    });
    expect(rowsOf({ ...briefing, upright: true }).tile).toBeGreaterThanOrEqual(
      4,
    );
    expect(rowsOf(briefing).tile).toBeLessThan(4);
  });
  it("a tile has more than three lines where the whole list stands beside it", () => {
    expect(rowsOf(asks({ tiles: [30], incidents: 1 })).tile).toBe(5);
    expect(rowsOf(asks({ tiles: [30], incidents: 1, evidence: 1 })).tile).toBe(
      7,
    );
    expect(
      rowsOf(asks({ tiles: [30], incidents: 7 })).tile,
    ).toBeLessThanOrEqual(3);
  });
  it("a short list leaves room for ages, which never take it from a tile", () => {
    expect(rowsOf(asks({ incidents: 1 })).spare).toBeGreaterThan(3);
    expect(rowsOf(asks({ incidents: 12 })).spare).toBe(0);
    expect(rowsOf(asks({ incidents: 1, tiles: [1] })).spare).toBe(0);
  });
  it("warnings have their strip while it takes no row from an incident", () => {
    expect(rowsOf(asks({ warnings: 2, incidents: 1 })).strip).toBe(true);
    expect(rowsOf(asks({ warnings: 2, incidents: 9 })).strip).toBe(false);
    expect(rowsOf(asks({ warnings: 0, incidents: 1 })).strip).toBe(false);
  });
});
