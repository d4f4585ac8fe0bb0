import { describe, expect, it, vi } from "vitest";
import type { Box } from "../../map/geometry";
import type { Incident } from "../../wire/wire";
import { Camera } from "./camera";

const HOME: Box = [107.55, -6.97, 107.74, -6.84];
const WATCH: Box = [107.2, -7.3, 108.1, -6.5];
/** The zoom at which the home of the test fits. */
const WHOLE = 12.4;

function incident(id: string, lng: number, lat: number, more = {}): Incident {
  return {
    id,
    severity: "Severe",
    status: "new",
    location: { lng, lat },
    ...more,
  } as unknown as Incident;
}

function setup(whole = WHOLE, u = 1) {
  const fits: { box: Box; maxZoom: number; ms: number }[] = [];
  const camera = new Camera(
    {
      zoomFor: () => whole,
      fit: (box, _padding, maxZoom, ms) => fits.push({ box, maxZoom, ms }),
    },
    HOME,
    WATCH,
    u,
    false,
    () => undefined,
  );
  return { camera, fits };
}

describe("the wall's camera", () => {
  it("shows a small city as near as it fits, a wide one not nearer than an incident with its neighbours", () => {
    const small = setup();
    small.camera.follow([]);
    expect(small.fits).toEqual([{ box: HOME, maxZoom: WHOLE, ms: 0 }]);
    const wide = setup(9.1, 2);
    wide.camera.follow([]);
    expect(wide.fits[0]?.maxZoom).toBeCloseTo(11.5);
  });

  it("fits what is open inside the watched box and leaves alone what lies beyond it", () => {
    const { camera, fits } = setup();
    const near = incident("a", 107.6, -6.9);
    camera.follow([near, incident("wrong", 0, 0)]);
    expect(fits[0]?.box).toEqual([107.6, -6.9, 107.6, -6.9]);
    camera.follow([near, incident("far", 110.4, -7)]);
    expect(fits.length).toBe(1);
  });

  it("stays at home where all that is open lies beyond the watched box", () => {
    const { camera, fits } = setup();
    camera.follow([incident("wrong", 100, -0.9)]);
    expect(fits).toEqual([{ box: HOME, maxZoom: WHOLE, ms: 0 }]);
  });

  it("flies to a new Extreme, but not beyond the watched box", () => {
    const { camera, fits } = setup();
    const worst = { severity: "Extreme" };
    camera.follow([]);
    camera.follow([incident("wrong", 100, -0.9, worst)]);
    expect(fits.length).toBe(1);
    camera.follow([incident("b", 107.6, -6.9, worst)]);
    expect(fits[1]?.ms).toBeGreaterThan(0);
    expect(fits[1]?.box[0]).toBeLessThan(107.6);
    camera.stop();
  });

  it("dwells on a new Extreme while others come and go, and shows them after; once somebody has it, it goes", () => {
    vi.useFakeTimers();
    const { camera, fits } = setup();
    const at = (status: string) =>
      incident("x", 107.6, -6.9, { severity: "Extreme", status });
    const other = incident("y", 107.7, -6.9);
    camera.follow([]);
    camera.follow([at("new")]);
    expect(fits.length).toBe(2);
    camera.follow([at("new"), other]);
    expect(fits.length).toBe(2);
    vi.advanceTimersByTime(8_000);
    expect(fits.at(-1)?.box).toEqual([107.6, -6.9, 107.7, -6.9]);
    const second = incident("z", 107.65, -6.9, { severity: "Extreme" });
    camera.follow([at("acknowledged"), other, second]);
    expect(fits.length).toBe(4);
    camera.follow([at("acknowledged"), { ...second, status: "acknowledged" }]);
    expect(fits.at(-1)?.box).toEqual([107.6, -6.9, 107.65, -6.9]);
    camera.stop();
    vi.useRealTimers();
  });

  it("stays where a desk has put it, also after an Extreme that came before", () => {
    vi.useFakeTimers();
    const { camera, fits } = setup();
    const worst = incident("x", 107.6, -6.9, { severity: "Extreme" });
    const desk: Box = [107.5, -6.95, 107.55, -6.9];
    camera.follow([]);
    camera.follow([worst]);
    camera.show(desk);
    vi.advanceTimersByTime(60_000);
    expect(fits.at(-1)?.box).toEqual(desk);
    expect(fits.length).toBe(3);
    camera.resize(2);
    expect(fits.at(-1)?.box).toEqual(desk);
    camera.take();
    camera.resume();
    expect(fits.at(-1)?.box).toEqual(desk);
    camera.follow([worst]);
    expect(fits.at(-1)?.box).toEqual([107.6, -6.9, 107.6, -6.9]);
    camera.stop();
    vi.useRealTimers();
  });
});
