import { describe, expect, it } from "vitest";
import { GAP_MS, RECENT_MS, TRAIL_MS, Trails, type Movers } from "./trails";

const START = 1_800_000_000_000;

function at(
  ...rows: [id: string, kind: string, lng: number, ms: number][]
): Movers {
  const kinds = [...new Set(rows.map(([, kind]) => kind))];
  return {
    size: rows.length,
    lng: Float64Array.from(rows, (r) => r[2]),
    lat: Float64Array.from(rows, () => -0.8),
    atMs: Float64Array.from(rows, (r) => r[3]),
    kind: Uint16Array.from(rows, (r) => kinds.indexOf(r[1])),
    kinds,
    id: (i) => rows[i]?.[0] ?? "",
  };
}

const drawn = (t: Trails, now: number) =>
  t
    .lines(now, () => true)
    .features.map((f) => ({
      recent: f.properties?.["recent"] as boolean,
      lng: f.geometry.coordinates.map(([lng]) => lng),
    }));

describe("trails of units", () => {
  it("follow units alone, and who stands leaves no knot", () => {
    const t = new Trails();
    for (let i = 0; i < 4; i++)
      t.note(
        at(
          ["city:u", "unit", 100 + Math.min(i, 2), START + i * 5000],
          ["city:t", "truck", 100 + i, START + i * 5000],
        ),
        START + i * 5000,
      );
    expect(drawn(t, START + 20_000)).toEqual([
      { recent: true, lng: [100, 101, 102] },
    ]);
  });

  it("tell the last minutes from what was before, without a hole between", () => {
    const t = new Trails();
    for (let i = 0; i < 4; i++)
      t.note(
        at(["u", "unit", 100 + i, START + i * 60_000]),
        START + i * 60_000,
      );
    expect(drawn(t, START + RECENT_MS + 90_000)).toEqual([
      { recent: false, lng: [100, 101] },
      { recent: true, lng: [101, 102, 103] },
    ]);
  });

  it("break where nobody knows the way, and go out of the picture after a quarter of an hour", () => {
    const t = new Trails();
    t.note(at(["u", "unit", 100, START]), START);
    t.note(at(["u", "unit", 101, START + 1000]), START + 1000);
    const later = START + GAP_MS + 2000;
    t.note(at(["u", "unit", 105, later]), later);
    t.note(at(["u", "unit", 106, later + 1000]), later + 1000);
    expect(drawn(t, later + 1000).map((l) => l.lng)).toEqual([
      [100, 101],
      [105, 106],
    ]);
    t.note(at(), START + TRAIL_MS + 500);
    expect(drawn(t, START + TRAIL_MS + 500).map((l) => l.lng)).toEqual([
      [105, 106],
    ]);
    t.note(at(), later + TRAIL_MS + 2000);
    expect(drawn(t, later + TRAIL_MS + 2000)).toEqual([]);
  });

  it("go on from where a unit stood, however long it did", () => {
    const t = new Trails();
    t.note(at(["u", "unit", 100, START]), START);
    t.note(at(["u", "unit", 101, START + 1000]), START + 1000);
    const left = START + 3 * GAP_MS;
    for (let now = START + 2000; now < left; now += 60_000)
      t.note(at(["u", "unit", 101, now]), now);
    t.note(at(["u", "unit", 102, left]), left);
    // Where it came from is still within the quarter of an hour, but minutes old.
    expect(drawn(t, left)).toEqual([{ recent: true, lng: [100, 101, 102] }]);
  });

  it("are not drawn of whoever is not shown, and an older word changes nothing", () => {
    const t = new Trails();
    t.note(at(["u", "unit", 100, START]), START);
    t.note(at(["u", "unit", 101, START + 1000]), START + 1000);
    t.note(at(["u", "unit", 99, START + 500]), START + 1500);
    expect(t.lines(START + 2000, () => false).features).toEqual([]);
    expect(drawn(t, START + 2000)).toEqual([{ recent: true, lng: [100, 101] }]);
  });
});
