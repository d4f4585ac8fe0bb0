import { expect, it } from "vitest";
import { layerRows } from "./layer-rows";
import { strength, WEAKEST } from "./map-look.svelte";

it("a layer tells how many of its Things are fresh, and how new the newest is", () => {
  const things = {
    size: 4,
    atMs: Float64Array.from([900, 400, 0, 800]),
    kind: Uint16Array.from([1, 1, 1, 0]),
    kinds: ["unit", "river_gauge", "camera"],
    staleAt: (i: number) => (i === 1 ? 950 : 2000),
  };
  expect(layerRows(["river_gauge", "camera", "bus"], things, 1000)).toEqual([
    { kind: "river_gauge", all: 3, fresh: 1, newest: 900 },
    { kind: "camera", all: 0, fresh: 0, newest: 0 },
    { kind: "bus", all: 0, fresh: 0, newest: 0 },
  ]);
});

it("the hatching of what nobody observes cannot be switched off", () => {
  expect([0, -3, 0.5, 7, Number.NaN, "1", null].map(strength)).toEqual([
    WEAKEST,
    WEAKEST,
    0.5,
    1,
    1,
    1,
    1,
  ]);
});
