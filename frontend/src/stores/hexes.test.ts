import { describe, expect, it } from "vitest";
import { createFrame } from "./frame";
import { Hexes } from "./hexes.svelte";

const AT = 1_795_417_450_000;
const RING = new Float64Array([100, 0, 101, 0, 101, 1, 100, 1]);

function setup() {
  const frames: (() => void)[] = [];
  const hexes = new Hexes(createFrame((run) => frames.push(run)));
  const says = (slot: number, layer: string, count: number, more = {}) => {
    const c = {
      value: 1,
      severity: "" as const,
      unobserved: false,
      ...more,
    };
    hexes.cell(
      slot,
      layer,
      count,
      c.value,
      c.severity,
      AT,
      AT + 60_000,
      ["awlr"],
      c.unobserved,
    );
  };
  return { hexes, says, frames };
}

describe("cells", () => {
  it("keeps what each layer says of a cell, before or after its outline", () => {
    const { hexes, says } = setup();
    says(4, "river_gauge", 2);
    hexes.outline(4, "87651", 7, RING);
    says(4, "truck", 9);
    says(4, "river_gauge", 3);
    expect(hexes.size).toBe(1);
    const cell = hexes.get(4);
    expect(cell?.resolution).toBe(7);
    expect(cell?.layers.map((l) => [l.layer, l.count])).toEqual([
      ["river_gauge", 3],
      ["truck", 9],
    ]);
  });

  it("owns its outline: the reader may fill the same array again", () => {
    const { hexes } = setup();
    const ring = RING.slice();
    hexes.outline(1, "a", 7, ring);
    ring.fill(0);
    expect(hexes.get(1)?.ring[2]).toBe(101);
  });

  it("tells the map of each message at once, the page with the next frame", () => {
    const { hexes, says, frames } = setup();
    let heard = 0;
    const end = hexes.watch(() => heard++);
    says(1, "truck", 2);
    hexes.done();
    expect([heard, hexes.version, frames.length]).toEqual([1, 0, 1]);
    hexes.done();
    expect(heard).toBe(1);
    end();
    says(1, "truck", 3);
    hexes.done();
    expect(heard).toBe(1);
  });

  it("drops a layer with nothing in it, and the cell with the last one", () => {
    const { hexes, says } = setup();
    hexes.outline(1, "a", 7, RING);
    says(1, "truck", 2);
    says(1, "rain_gauge", 1);
    says(1, "truck", 0);
    expect(hexes.get(1)?.layers.length).toBe(1);
    says(1, "rain_gauge", 0);
    says(9, "rain_gauge", 0);
    expect(hexes.size).toBe(0);
  });

  it("gives a slot to another cell", () => {
    const { hexes, says } = setup();
    hexes.outline(1, "a", 7, RING);
    says(1, "truck", 2);
    hexes.outline(1, "b", 7, RING);
    expect(hexes.get(1)).toMatchObject({ cell: "b", layers: [] });
  });

  it("moves its version once per frame", () => {
    const { hexes, says, frames } = setup();
    says(1, "truck", 2);
    hexes.done();
    says(1, "truck", 3);
    hexes.done();
    hexes.done();
    expect(frames.length).toBe(1);
    frames[0]?.();
    expect(hexes.version).toBe(1);
    hexes.reset();
    hexes.reset();
    hexes.done();
    expect(hexes.size).toBe(0);
  });
});
