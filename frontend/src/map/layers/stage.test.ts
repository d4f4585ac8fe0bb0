import type { CustomRenderMethodInput, Map as GLMap } from "maplibre-gl";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Stage, type Part } from "./stage";

/** After so long the next frame is waited for again. */
const SPARE_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What was done, in order; `moving` and what each part has to draw are set by the test. */
function setup() {
  const done: string[] = [];
  const has = { cells: false, things: false };
  const camera = { moving: false };
  let holds = false;
  let run = () => {};
  const say = (word: string) => () => {
    done.push(word);
  };
  const stage = new Stage(
    {
      paced: (paint) => {
        run = paint;
        return say("asked");
      },
    },
    () => ({
      forget: () => {
        holds = false;
      },
      get holds() {
        return holds;
      },
      takeBelow: say("below"),
      takeWhole: () => {
        holds = true;
        done.push("whole");
      },
      lay: say("lay"),
      cover: say("cover"),
      drop: say("drop"),
    }),
  );
  const part = (name: "cells" | "things"): Part => ({
    added: () => undefined,
    removed: () => undefined,
    prepare: () => has[name],
    draw: say(name),
  });
  const layers = [
    stage.layer("c", part("cells")),
    stage.layer("t", part("things")),
    stage.top,
  ];
  const map = {
    isMoving: () => camera.moving,
    triggerRepaint: say("map"),
  } as unknown as GLMap;
  /** Fences that the graphics card has not come to. */
  const card = { fences: 0, done: false };
  const gl = {
    SIGNALED: 1,
    fenceSync: () => ({ n: ++card.fences }),
    getSyncParameter: () => (card.done ? 1 : 0),
    deleteSync: () => card.fences--,
    flush: () => undefined,
    isContextLost: () => false,
  } as unknown as WebGL2RenderingContext;
  const input = {
    defaultProjectionData: { mainMatrix: new Float64Array(16) },
  } as unknown as CustomRenderMethodInput;
  for (const layer of layers) layer.onAdd?.(map, gl);
  const log = (act: () => void) => {
    done.length = 0;
    act();
    return done.join(" ");
  };
  return {
    has,
    camera,
    card,
    stage,
    frame: () =>
      log(() => {
        for (const layer of layers) layer.render(gl, input);
      }),
    paint: () =>
      log(() => {
        run();
      }),
    leave: () =>
      log(() => {
        for (const layer of layers) layer.onRemove?.(map, gl);
      }),
  };
}

it("one part is drawn over the picture of the map, in the map's frame and in its own", () => {
  for (const name of ["cells", "things"] as const) {
    const { has, frame, paint } = setup();
    expect(paint()).toBe("map");
    expect(frame()).toBe("");
    expect(paint()).toBe("");
    has[name] = true;
    expect(paint()).toBe("map");
    expect(frame()).toBe(`below whole ${name} cover`);
    expect(paint()).toBe(`lay ${name} cover`);
    has[name] = false;
    expect(paint()).toBe("lay");
  }
});

it("two parts at once are drawn by the map, each in its place", () => {
  const { has, frame, paint } = setup();
  has.cells = true;
  frame();
  has.things = true;
  expect(paint()).toBe("map");
  expect(frame()).toBe("cells things");
  expect(paint()).toBe("map");
  // The picture is cut at another part than the one that is left.
  has.cells = false;
  expect(frame()).toBe("below whole things cover");
  has.things = false;
  has.cells = true;
  expect(paint()).toBe("map");
});

it("a camera that moves has no picture, and a style that leaves gives it back", () => {
  const { has, camera, frame, paint, leave } = setup();
  has.things = true;
  frame();
  camera.moving = true;
  expect(paint()).toBe("map");
  expect(frame()).toBe("things");
  camera.moving = false;
  expect(paint()).toBe("map");
  expect(frame()).toBe("below whole things cover");
  expect(leave()).toBe("drop");
  expect(paint()).toBe("");
});

it("a frame is there when it was drawn and the graphics card has done it, however long that takes", () => {
  const { stage, has, card, frame, paint } = setup();
  has.things = true;
  frame();
  const seen = vi.fn();
  stage.drawn(seen);
  // No frame has come yet: the machine draws at its pace.
  vi.advanceTimersByTime(500);
  expect([seen.mock.calls.length, card.fences]).toEqual([0, 0]);
  paint();
  vi.advanceTimersByTime(500);
  expect([seen.mock.calls.length, card.fences]).toEqual([0, 1]);
  card.done = true;
  vi.advanceTimersByTime(32);
  expect([seen.mock.calls.length, card.fences]).toEqual([1, 0]);
  // Each costs some tasks: not every frame is waited for.
  vi.advanceTimersByTime(SPARE_MS);
  // The map's own frame counts as well, also one with nothing of ours.
  has.things = false;
  stage.drawn(seen);
  frame();
  vi.advanceTimersByTime(32);
  expect(seen).toHaveBeenCalledTimes(2);
  expect(vi.getTimerCount()).toBe(0);
});

it("a card that is far behind is not waited for without end", () => {
  const { stage, has, card, frame, paint } = setup();
  has.things = true;
  frame();
  const seen = vi.fn();
  for (let i = 0; i < 50; i++) {
    stage.drawn(seen);
    paint();
    if (i === 0) paint();
    expect(card.fences).toBe(Math.min(i + 1, 4));
    vi.advanceTimersByTime(SPARE_MS);
  }
  for (let i = 0; i < 100; i++) stage.drawn(seen);
  card.done = true;
  vi.advanceTimersByTime(32);
  expect(seen).toHaveBeenCalledTimes(4);
  vi.advanceTimersByTime(SPARE_MS);
  paint();
  vi.advanceTimersByTime(32);
  expect(seen).toHaveBeenCalledTimes(4 + 64);
});
