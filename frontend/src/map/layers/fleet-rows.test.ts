import { describe, expect, it } from "vitest";
import { createFrame } from "../../stores/frame";
import { Fleet } from "../../stores/fleet.svelte";
import { FLOATS, FleetRows } from "./fleet-rows";
import { mercatorNear, mercatorX, mercatorY, NEAR_DEGREES } from "./mercator";

const EARTH_M = 40_075_017;
const AT = 1_795_417_450_000;

describe("Mercator near a latitude", () => {
  it("is good to a centimetre between 60 degrees south and north", () => {
    for (const lat of [-60, -33, -0.8, 0, 6.9, 35, 60]) {
      const [a, b, c, d] = mercatorNear(lat);
      for (let y = -NEAR_DEGREES; y <= NEAR_DEGREES; y += NEAR_DEGREES / 7) {
        const near = y * (a + y * (b + y * (c + y * d)));
        const exact = mercatorY(lat + y) - mercatorY(lat);
        expect(Math.abs(near - exact) * EARTH_M).toBeLessThan(0.01);
      }
    }
  });
});

describe("rows of Things", () => {
  const centre = { lng: 100.6, lat: -0.9 };
  function setup() {
    const fleet = new Fleet(createFrame(() => undefined));
    const rows = new FleetRows();
    const written: [number, number][] = [];
    const sync = () => {
      rows.limit(fleet.drawn);
      rows.sync(fleet, centre, AT, (from, to) => written.push([from, to]));
    };
    return { fleet, rows, written, sync };
  }

  it("of kinds that are not shown are drawn nowhere and cannot be picked, also those of a kind that comes later", () => {
    const { fleet, rows, sync } = setup();
    const put = (slot: number, kind: string, lng: number) => {
      fleet.announce(slot, {
        id: `t${slot}`,
        feed: "f",
        kind,
        name: "",
        attribution: "",
        simulated: false,
        staleMs: 0,
      });
      fleet.move(slot, lng, -0.9, Number.NaN, Number.NaN, AT);
    };
    put(0, "patrol", 100.61);
    put(1, "river_gauge", 100.62);
    fleet.done();
    sync();
    expect(rows.pick(100.61, -0.9, 1e-6)).toBe(0);
    fleet.limit(new Set(["river_gauge"]));
    expect(rows.behind(fleet)).toBe(true);
    sync();
    expect(rows.pick(100.61, -0.9, 1e-6)).toBe(-1);
    put(2, "phone", 100.63);
    fleet.done();
    sync();
    expect(rows.pick(100.61, -0.9, 1e-6)).toBe(-1);
    expect(rows.pick(100.63, -0.9, 1e-6)).toBe(-1);
    expect(rows.pick(100.62, -0.9, 1e-6)).toBe(1);
    fleet.limit(null);
    sync();
    expect(rows.pick(100.63, -0.9, 1e-6)).toBe(2);
  });

  it("lie within a decimetre of their place, near the anchor and far from it", () => {
    const { fleet, rows, sync } = setup();
    const places = [
      [100.61, -0.91],
      [101.1, -1.45],
      [106.8, -6.2],
    ] as const;
    places.forEach(([lng, lat], slot) => {
      fleet.move(slot, lng, lat, 90, 1, AT);
    });
    fleet.move(3, Number.NaN, Number.NaN, Number.NaN, 1, AT);
    fleet.done();
    sync();
    places.forEach(([lng, lat], i) => {
      const x = rows.anchorX + (rows.rows[i * FLOATS] ?? 0);
      const y = rows.anchorY + (rows.rows[i * FLOATS + 1] ?? 0);
      const reach = i < 2 ? 0.1 : 0.5;
      expect(Math.abs(x - mercatorX(lng)) * EARTH_M).toBeLessThan(reach);
      expect(Math.abs(y - mercatorY(lat)) * EARTH_M).toBeLessThan(reach);
      expect(rows.pick(lng, lat, 1e-6)).toBe(i);
    });
    expect(rows.rows[3 * FLOATS]).toBeGreaterThan(8);
    expect(rows.rows[3 * FLOATS + 2]).toBe(-1);
    expect(rows.rows[FLOATS + 3]).toBeCloseTo(300);
  });

  it("are written anew only where a block of them changed", () => {
    const { fleet, written, sync } = setup();
    for (let slot = 0; slot < 600; slot++)
      fleet.move(slot, 100.6, -1, 0, 0, AT);
    fleet.done();
    sync();
    expect(written.splice(0)).toEqual([[0, 600]]);
    fleet.move(300, 100.7, -1, 0, 0, AT);
    fleet.done();
    sync();
    expect(written.splice(0)).toEqual([[256, 512]]);
    fleet.done();
    sync();
    expect(written).toEqual([]);
  });

  it("are counted by prominence in a box", () => {
    const { fleet, rows, sync } = setup();
    fleet.move(0, 100.6, -0.9, 0, 0, AT);
    fleet.move(1, 102.6, -0.9, 0, 0, AT);
    fleet.done();
    sync();
    const ranks = new Uint32Array(3);
    rows.countIn([100, -1, 101, 0], ranks);
    expect(ranks.reduce((n, k) => n + k)).toBe(1);
  });
});
