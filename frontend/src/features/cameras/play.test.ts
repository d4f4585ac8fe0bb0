import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FROZEN_MS, play } from "./play";

const players: {
  destroyed: boolean;
  fail: (fatal: boolean) => void;
  /** The playlist's newest piece. */
  loaded: (endSN: number) => void;
}[] = [];

const browser = { hls: true };

vi.mock("hls.js/light", () => ({
  default: class {
    static Events = { ERROR: "error", LEVEL_LOADED: "loaded" };
    static isSupported = () => browser.hls;
    destroyed = false;
    fail: (fatal: boolean) => void = () => undefined;
    loaded: (endSN: number) => void = () => undefined;
    constructor() {
      players.push(this);
    }
    on(event: string, heard: (name: string, of: object) => void) {
      if (event === "error") {
        this.fail = (fatal) => {
          heard(event, { fatal });
        };
      } else {
        this.loaded = (endSN) => {
          heard(event, { details: { endSN } });
        };
      }
    }
    loadSource = () => undefined;
    attachMedia = () => undefined;
    destroy() {
      this.destroyed = true;
    }
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  browser.hls = true;
  players.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

async function setup() {
  const video = document.createElement("video");
  let place = 0;
  Object.defineProperty(video, "currentTime", { get: () => place });
  const told: [string, number][] = [];
  const end = play(
    video,
    "/live.m3u8",
    (how, sinceMs) => told.push([how, Math.round(sinceMs / 1000)]),
    () => Date.now(),
  );
  await vi.advanceTimersByTimeAsync(0);
  /** Seconds in which the picture goes on. */
  const goOn = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      place++;
      await vi.advanceTimersByTimeAsync(1_000);
    }
  };
  return { video, told, end, goOn };
}

it("a picture that stands still says since when, is begun anew, and plays again", async () => {
  const { video, told, end, goOn } = await setup();
  players[0]?.loaded(40);
  video.dispatchEvent(new Event("playing"));
  await goOn(30);
  expect(told.map(([how]) => how)).toEqual(["starting", "playing"]);
  await vi.advanceTimersByTimeAsync(FROZEN_MS + 1_000);
  expect(told.at(-1)).toEqual(["frozen", FROZEN_MS / 1000]);
  expect(players.map((p) => p.destroyed)).toEqual([true, false]);
  // One that fails too is not the end: the picture is tried for as long as it is looked at.
  players[1]?.fail(true);
  expect(told.at(-1)?.[0]).toBe("frozen");
  await vi.advanceTimersByTimeAsync(15_000);
  expect(players.length).toBe(3);
  // The last pieces again are no picture of now.
  players[2]?.loaded(40);
  video.dispatchEvent(new Event("playing"));
  await goOn(5);
  expect(told.at(-1)?.[0]).toBe("frozen");
  players[2]?.loaded(41);
  await goOn(20);
  expect(told.at(-1)?.[0]).toBe("playing");
  expect(players.length).toBe(3);
  end();
  expect(players.every((p) => p.destroyed)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it("what never began is no frozen picture, and a fatal fault fails it", async () => {
  const { told, end } = await setup();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([["starting", 0]]);
  players[0]?.fail(false);
  expect(told.length).toBe(1);
  players[0]?.fail(true);
  expect(told.at(-1)?.[0]).toBe("failed");
  end();
});

it("a browser that reads playlists itself tells what it cannot play", async () => {
  browser.hls = false;
  const { video, told, end } = await setup();
  expect(video.getAttribute("src")).toBe("/live.m3u8");
  video.dispatchEvent(new Event("error"));
  expect(told.at(-1)?.[0]).toBe("failed");
  end();
  expect(video.hasAttribute("src")).toBe(false);
});

it("a fault of the element is hls.js's to tell", async () => {
  const { video, told, end } = await setup();
  video.dispatchEvent(new Event("error"));
  expect(told.map(([how]) => how)).toEqual(["starting"]);
  end();
});
