import { describe, expect, it } from "vitest";
import { contains } from "../geometry";
import { CELL_FLOATS, CellRows, lightness } from "./cell-rows";
import { cellState, cellUnder, cellWords, SEVERITIES } from "./cells";
import { mercatorX, mercatorY } from "./mercator";
import { sizes, type Sides } from "./fleet-size";
import { thingWords } from "./things";
import { Ground } from "./watch";
import { mercator } from "../geometry";

const NOW = 1_795_417_450_000;

interface Made {
  kind?: string;
  lng: number;
  lat: number;
  fresh?: boolean;
}

function fleet(made: readonly Made[]) {
  const kinds = [...new Set(made.map((t) => t.kind ?? "river_gauge"))];
  return {
    size: made.length,
    lng: Float64Array.from(made.map((t) => t.lng)),
    lat: Float64Array.from(made.map((t) => t.lat)),
    atMs: Float64Array.from(made.map(() => NOW - 60_000)),
    kind: Uint16Array.from(
      made.map((t) => kinds.indexOf(t.kind ?? "river_gauge")),
    ),
    kinds,
    drawn: null,
    kindOf: (i: number) => made[i]?.kind ?? "river_gauge",
    staleAt: (i: number) => (made[i]?.fresh === false ? NOW - 1 : NOW + 1),
  };
}

function stateAt(made: readonly Made[], lng: number, lat: number): string[] {
  const drawn = new Ground().update(fleet(made), NOW);
  return (drawn?.features ?? [])
    .filter((f) => contains(f.geometry, lng, lat))
    .map((f) => f.properties?.["state"] as string);
}

describe("the observed ground", () => {
  const gauge = { lng: 100.6, lat: -0.8 };
  it("is what a station sees, and nothing beyond", () => {
    expect(stateAt([gauge], 100.6, -0.8)).toEqual(["fresh"]);
    expect(stateAt([gauge], 100.612, -0.8)).toEqual(["fresh"]);
    expect(stateAt([gauge], 100.65, -0.8)).toEqual([]);
    expect(stateAt([], 100.6, -0.8)).toEqual([]);
  });
  it("is hatched where all are silent, and where the station is", () => {
    const lamp = { ...gauge, kind: "streetlight" };
    const silent = { ...gauge, fresh: false };
    expect(stateAt([silent], 100.6, -0.8)).toEqual(["stale"]);
    expect(stateAt([silent, lamp], 100.6, -0.8)).toEqual(["stale"]);
    expect(stateAt([{ ...lamp, fresh: false }, lamp], 100.6, -0.8)).toEqual([
      "fresh",
    ]);
    expect(stateAt([silent, gauge], 100.6, -0.8)).toEqual(["fresh"]);
  });
  it("of a lamp ends at its own hexagon", () => {
    const lamp = { ...gauge, kind: "streetlight" };
    expect(stateAt([lamp], 100.6, -0.8)).toEqual(["fresh"]);
    expect(stateAt([lamp], 100.625, -0.8)).toEqual([]);
  });
  it("is told once, and again when it changes", () => {
    const ground = new Ground();
    const things = fleet([gauge, { ...gauge, fresh: false }]);
    expect(ground.update(things, NOW)).not.toBeNull();
    expect(ground.counted).toEqual({ placed: 2, fresh: 1 });
    expect(ground.watchers).toEqual([gauge]);
    expect(ground.update(things, NOW)).toBeNull();
    const later = fleet([{ ...gauge, fresh: false }]);
    expect(ground.update(later, NOW)?.features.length).toBeGreaterThan(0);
    expect(ground.watchers).toEqual([]);
  });
  it("of fifty thousand costs no more than the ground they stand on", () => {
    const many = Array.from({ length: 50_000 }, (_, i) => ({
      lng: 100.4 + (i % 250) * 0.003,
      lat: -1.3 + Math.floor(i / 250) * 0.0035,
      kind: "streetlight",
    }));
    const drawn = new Ground().update(fleet(many), NOW);
    expect(drawn?.features.length).toBeLessThan(200);
  });
});

describe("words beside Things", () => {
  it("are for the silent, stations before the rest", () => {
    const things = fleet([
      { lng: 1, lat: 2, kind: "truck", fresh: false },
      { lng: 1, lat: 2, fresh: false },
      { lng: 1, lat: 2 },
    ]);
    const labels = thingWords(things, NOW, (i) => `t${i}`).features.map(
      (f) => f.properties?.["label"] as string,
    );
    expect(labels).toEqual(["t1", "t0", ""]);
  });
  it("are few where Things are many", () => {
    const things = fleet(
      Array.from({ length: 400 }, (_, i) => ({
        lng: 1,
        lat: 2,
        kind: i < 60 ? "rain_gauge" : "truck",
        fresh: false,
      })),
    );
    const { features } = thingWords(things, NOW, () => "x");
    expect(features.length).toBe(40);
  });
});

describe("cells", () => {
  const part = (layer: string, more = {}) => ({
    layer,
    count: 2,
    severity: "" as const,
    observedAtMs: NOW - 10_000,
    staleAtMs: NOW + 50_000,
    unobserved: false,
    ...more,
  });
  const cell = (layers: ReturnType<typeof part>[], slot = 1) => ({
    slot,
    stamp: 1,
    ring: new Float64Array([0, 0, 1, 0, 1, 1, 0, 1]),
    layers,
  });
  const store = (...list: ReturnType<typeof cell>[]) => ({
    size: list.length,
    stamp: 1,
    shape: 1,
    each: (run: (c: ReturnType<typeof cell>) => void) => {
      list.forEach(run);
    },
    watch: () => () => undefined,
  });
  it("are silent where nothing is fresh, and where their stations are not", () => {
    const gone = { unobserved: true };
    expect(cellState(cell([part("truck")]), NOW)).toEqual({ count: 2, age: 0 });
    expect(cellState(cell([part("truck", gone)]), NOW).age).toBe(2);
    const mixed = [part("truck"), part("river_gauge", gone)];
    expect(cellState(cell(mixed), NOW)).toEqual({ count: 4, age: 2 });
    const passed = [part("river_gauge", { staleAtMs: NOW })];
    expect(cellState(cell(passed), NOW).age).toBe(2);
  });
  it("age before they are silent", () => {
    expect(cellState(cell([part("river_gauge")]), NOW + 30_000).age).toBe(1);
  });
  it("are outlines as triangles from their middle, and a texel of what they show", () => {
    const severe = cell([
      part("a", { severity: "Minor" }),
      part("b", { severity: "Extreme", count: 98 }),
    ]);
    const noOutline = { ...cell([part("a")], 9), ring: new Float64Array(0) };
    const cells = store(noOutline, severe, cell([part("truck")], 2));
    const rows = new CellRows();
    rows.outline(cells);
    expect(rows.count).toBe(2 * 4 * 3);
    const last = rows.vertices.subarray((rows.count - 3) * CELL_FLOATS);
    // The middle, the last corner, the first: of the second cell that has an outline.
    expect([last[2], last[6], last[10]]).toEqual([0, 1, 1]);
    expect([last[3], last[7], last[11]]).toEqual([1, 1, 1]);
    expect(rows.anchorX + (last[0] ?? 0)).toBeCloseTo(mercatorX(0.5), 8);
    expect(rows.anchorY + (last[1] ?? 0)).toBeCloseTo(mercatorY(0.5), 6);
    expect(rows.anchorY + (last[5] ?? 0)).toBeCloseTo(mercatorY(1), 8);
    expect(rows.tell(cells, NOW)).toEqual({ ground: true, alarms: true });
    expect(rows.alarms).toBe(1);
    expect([...rows.texels.subarray(0, 8)]).toEqual([
      ...[SEVERITIES.indexOf("Extreme") + 1, 0, 90, 255],
      ...[0, 0, 9, 255],
    ]);
  });
  it("ask for a frame of the map for their ground alone", () => {
    const [one, other] = [cell([part("a")]), cell([part("b")], 2)];
    const cells = store(one, other);
    const rows = new CellRows();
    rows.outline(cells);
    rows.tell(cells, NOW);
    expect(rows.tell(cells, NOW)).toEqual({ ground: false, alarms: false });
    one.layers = [part("a", { severity: "Severe" })];
    expect(rows.tell(cells, NOW)).toEqual({ ground: false, alarms: true });
    other.layers = [part("b", { unobserved: true })];
    expect(rows.tell(cells, NOW)).toEqual({ ground: true, alarms: false });
    one.layers = [part("a")];
    expect(rows.tell(cells, NOW)).toEqual({ ground: false, alarms: true });
    expect(rows.alarms).toBe(0);
  });
  it("are lighter the more they hold, up to a bound that a texel can keep", () => {
    expect([lightness(0), lightness(1)]).toEqual([0, 0]);
    expect(lightness(10)).toBeCloseTo(0.03, 3);
    expect(lightness(100)).toBeCloseTo(0.09, 3);
    expect(lightness(1e6)).toBe(0.17);
  });
  it("are found under a place and say their age where they are silent", () => {
    const cells = store(cell([part("truck", { unobserved: true })]));
    expect(cellUnder(cells, 0.5, 0.5)?.slot).toBe(1);
    expect(cellUnder(cells, 1.5, 0.5)).toBeNull();
    const { features } = cellWords(cells, NOW, (at) => `${NOW - at}`);
    expect(features[0]?.properties?.["label"]).toBe("10000");
    expect(features[0]?.geometry.coordinates).toEqual([0.5, 0.5]);
  });
});

describe("sizes of Things", () => {
  const HAD: Sides = [30, 26, 15];
  it("shrink with a crowd and with distance, never to nothing", () => {
    const area = 1184 * 864;
    const few = sizes([20, 5, 0], area, 9.7, 1, HAD);
    const many = sizes([200, 3_000, 15_000], area, 9.7, 1, HAD);
    const close = sizes([3, 10, 20], area, 15, 1, HAD);
    expect(few[0]).toBe(30);
    expect(many[1]).toBeLessThan(10);
    expect(many[2]).toBeGreaterThanOrEqual(3.9);
    expect(close[2]).toBeGreaterThan(20);
  });
  it("follow the wall's unit and hold still under small changes", () => {
    const once = sizes([20, 400, 0], 1184 * 864, 12, 1, HAD);
    const twice = sizes([20, 400, 0], 4 * 1184 * 864, 13, 2, [60, 52, 30]);
    expect(twice[1] / once[1]).toBeCloseTo(2, 0);
    expect(sizes([20, 410, 0], 1184 * 864, 12, 1, once)).toEqual(once);
  });
});

it("mercator of the layer is the map's", () => {
  const [x, y] = mercator(100.6, -0.85);
  expect(mercatorX(100.6)).toBeCloseTo(x, 12);
  expect(mercatorY(-0.85)).toBeCloseTo(y, 12);
});
