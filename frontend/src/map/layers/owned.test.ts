import type { CustomRenderMethodInput, Map as GLMap } from "maplibre-gl";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createFrame } from "../../stores/frame";
import { Fleet } from "../../stores/fleet.svelte";
import type { Cells, CellShape } from "./cells";

// Files share their modules: what another file has put in the place of one is not to be met here, nor ours elsewhere.
beforeAll(() => {
  vi.resetModules();
  vi.doUnmock("./cell-gl");
  vi.doMock("../icons", () => ({
    drawGlyphs: () => ({ image: {}, columns: 1, rows: 1 }),
  }));
});
afterAll(() => {
  vi.doUnmock("../icons");
  vi.resetModules();
});

const NOW = 1_795_417_450_000;
const KINDS = ["Buffer", "VertexArray", "Texture", "Program", "Shader"];

/** A context that counts what it was asked to make and to delete. */
function counting() {
  const alive: Record<string, number> = {};
  for (const kind of KINDS) alive[kind] = 0;
  const gl = new Proxy<Record<string, unknown>>(
    {},
    {
      get: (known, name: string) => {
        const [, act, kind = ""] = /^(create|delete)(\w+)$/.exec(name) ?? [];
        if (act && kind in alive)
          return () => {
            alive[kind] = (alive[kind] ?? 0) + (act === "create" ? 1 : -1);
            return {};
          };
        if (name === "isContextLost") return () => false;
        if (name === "getProgramParameter") return () => true;
        if (name.startsWith("drawingBuffer")) return 100;
        return known[name] ?? (/^[A-Z0-9_]+$/.test(name) ? 1 : () => undefined);
      },
    },
  ) as unknown as WebGL2RenderingContext;
  return { gl, alive };
}

/** One cell that is silent or alarmed. */
const CELLS: Cells = {
  size: 1,
  stamp: 1,
  shape: 1,
  each: (run) => {
    run({
      slot: 1,
      stamp: 1,
      ring: new Float64Array([0, 0, 1, 0, 1, 1]),
      layers: [
        {
          layer: "truck",
          count: 2,
          severity: "Extreme",
          observedAtMs: NOW,
          staleAtMs: NOW + 60_000,
          unobserved: false,
        },
      ],
    } satisfies CellShape);
  },
  watch: () => () => undefined,
};
const NONE: Cells = { ...CELLS, size: 0, each: () => undefined };

function fleetOf(things: number): Fleet {
  const fleet = new Fleet(createFrame(() => undefined));
  for (let slot = 0; slot < things; slot++)
    fleet.move(slot, 100, -1, 0, 0, NOW);
  fleet.done();
  return fleet;
}

const palette = new Proxy({}, { get: () => "#000000" }) as never;
const look = { palette, u: 1, still: true, lost: false, strength: 1 };

it.each([
  ["cells", CELLS, 0],
  ["Things", NONE, 3],
] as const)(
  "a new style leaves nothing of the one before on the graphics card: %s",
  async (_, cells, things) => {
    const { Stage } = await import("./stage");
    const { CellLayer } = await import("./cell-layer");
    const { FleetLayer } = await import("./fleet");
    const { gl, alive } = counting();
    const stage = new Stage({ paced: () => () => undefined });
    const drawn = new CellLayer(
      cells,
      look,
      () => undefined,
      () => undefined,
    );
    const fleet = new FleetLayer(fleetOf(things), look, () => undefined);
    const layers = [
      stage.layer("cell-mark", drawn),
      stage.layer("thing-mark", fleet),
      stage.top,
    ];
    const map = {
      isMoving: () => false,
      triggerRepaint: () => undefined,
      getPixelRatio: () => 1,
      getCenter: () => ({ lng: 100, lat: -1 }),
      getZoom: () => 9,
      getCanvas: () => ({ width: 100, height: 100 }),
      getBounds: () => ({
        getWest: () => 99,
        getSouth: () => -2,
        getEast: () => 101,
        getNorth: () => 0,
      }),
    } as unknown as GLMap;
    const input = {
      defaultProjectionData: { mainMatrix: new Float64Array(16) },
    } as unknown as CustomRenderMethodInput;
    const style = () => {
      for (const layer of layers) layer.onAdd?.(map, gl);
      drawn.tell(NOW);
      for (const layer of layers) layer.render(gl, input);
    };
    style();
    const once = { ...alive };
    expect(once["Buffer"]).toBe(1);
    expect(once["Texture"]).toBe(3);
    for (let i = 0; i < 5; i++) style();
    expect(alive).toEqual({ ...once, Shader: alive["Shader"] });
    for (const layer of layers) layer.onRemove?.(map, gl);
    expect([alive["Buffer"], alive["Texture"], alive["Program"]]).toEqual([
      0, 0, 0,
    ]);
  },
);
