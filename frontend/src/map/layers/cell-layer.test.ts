import type { CustomRenderMethodInput, Map as GLMap } from "maplibre-gl";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createFrame } from "../../stores/frame";
import { Hexes } from "../../stores/hexes.svelte";
import { CellLayer } from "./cell-layer";
import { CellRows } from "./cell-rows";
import type { CellPart, Cells, CellShape } from "./cells";

vi.mock("./cell-gl", () => ({
  CellTools: class {
    outline = () => undefined;
    tell = () => undefined;
    ground = () => undefined;
    alarms = () => undefined;
    drop = () => undefined;
  },
}));

const NOW = 1_795_417_450_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setup() {
  const list: CellShape[] = [];
  let heard = () => {};
  const cells: Cells = {
    get size() {
      return list.length;
    },
    stamp: 1,
    shape: 1,
    each: (run) => {
      list.forEach(run);
    },
    watch: (run) => {
      heard = run;
      return () => undefined;
    },
  };
  const soon = vi.fn();
  const gone = vi.fn();
  const repaint = vi.fn();
  const look = { palette: {} as never, u: 1, still: false, strength: 1 };
  const layer = new CellLayer(cells, look, soon, gone);
  const map = {
    triggerRepaint: repaint,
    getPixelRatio: () => 1,
  } as unknown as GLMap;
  const gl = {} as WebGL2RenderingContext;
  layer.added(map);
  layer.tell(NOW);
  return {
    layer,
    soon,
    gone,
    repaint,
    /** A message that says this of the only cell; null: there is none any more. */
    say: (part: Partial<CellPart> | null) => {
      list.length = 0;
      if (part)
        list.push({
          slot: 1,
          stamp: 1,
          ring: new Float64Array([0, 0, 1, 0, 1, 1]),
          layers: [
            {
              layer: "truck",
              count: 2,
              severity: "",
              observedAtMs: NOW,
              staleAtMs: NOW + 60_000,
              unobserved: false,
              ...part,
            },
          ],
        });
      heard();
    },
    prepare: () => layer.prepare(gl),
    frame: () => {
      layer.ground.render(gl, {
        defaultProjectionData: { mainMatrix: new Float64Array(16) },
      } as unknown as CustomRenderMethodInput);
    },
  };
}

it("a severity asks the map for no frame, the ground for one a second", () => {
  const { say, soon, prepare, frame, repaint } = setup();
  say({});
  expect(soon).toHaveBeenCalledOnce();
  expect(prepare()).toBe(false);
  expect(repaint).toHaveBeenCalledOnce();
  frame();
  say({ severity: "Severe" });
  expect(prepare()).toBe(true);
  say({ severity: "Extreme" });
  expect(prepare()).toBe(true);
  expect(repaint).toHaveBeenCalledOnce();
  for (let i = 3; i < 9; i++) {
    say({ count: i });
    prepare();
  }
  expect(repaint).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1_000);
  expect(repaint).toHaveBeenCalledTimes(2);
  // What the map's own frame finds, it draws: no other is asked for.
  say({ count: 99 });
  frame();
  prepare();
  vi.advanceTimersByTime(5_000);
  expect(repaint).toHaveBeenCalledTimes(2);
});

it("cells stay until what takes their place has faded in", () => {
  const { say, prepare, frame, gone } = setup();
  say({ severity: "Severe" });
  frame();
  say(null);
  expect(prepare()).toBe(true);
  vi.advanceTimersByTime(299);
  expect(gone).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(gone).toHaveBeenCalledOnce();
  expect(prepare()).toBe(false);
});

it("tells anew what changed, and all of it when it is later", () => {
  const hexes = new Hexes(createFrame(() => undefined));
  const say = (slot: number, severity: "Severe" | "") => {
    hexes.cell(slot, "truck", 2, 0, severity, NOW, NOW + 60_000, [], false);
  };
  for (const slot of [0, 1]) {
    const x = slot;
    hexes.outline(
      slot,
      `c${slot}`,
      7,
      new Float64Array([x, 0, x, 1, x + 1, 1]),
    );
    say(slot, "Severe");
  }
  hexes.done();
  const rows = new CellRows();
  rows.outline(hexes);
  expect(rows.tell(hexes, NOW)).toEqual({ ground: true, alarms: true });
  expect(rows.alarms).toBe(2);
  say(1, "");
  hexes.done();
  expect(rows.tell(hexes, NOW)).toEqual({ ground: false, alarms: true });
  expect(rows.alarms).toBe(1);
  expect([rows.texels[0], rows.texels[4]]).toEqual([2, 0]);
  expect(rows.tell(hexes, NOW)).toEqual({ ground: false, alarms: false });
  expect(rows.tell(hexes, NOW + 90_000).ground).toBe(true);
  expect([rows.texels[1], rows.texels[5]]).toEqual([2, 2]);
});
