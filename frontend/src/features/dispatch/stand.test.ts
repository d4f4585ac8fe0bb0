import { describe, expect, it } from "vitest";
import type { Dispatch } from "../../wire/wire";
import {
  heardLater,
  mayDecline,
  nextMove,
  onTheWay,
  patience,
  together,
} from "./stand";

const AT = Date.parse("2026-11-22T07:00:00Z");
const iso = (ms: number) => new Date(ms).toISOString();
const times = {
  offered: null,
  accepted: null,
  declined: null,
  expired: null,
  en_route: null,
  on_scene: null,
  done: null,
  cancelled: null,
};
const dispatch = (part: Partial<Dispatch>): Dispatch => ({
  id: "01",
  incident: "i1",
  type: "flood",
  unit: "bpbd/trc-1",
  agency: "bpbd",
  status: "offered",
  version: 1,
  times: { ...times, offered: iso(AT) },
  received: { ...times, offered: iso(AT) },
  expires_at: iso(AT + 60_000),
  by: "user:dewi",
  travel_s: 600,
  receipt: { sent: iso(AT), delivered: null, seen: null },
  next: null,
  simulated: false,
  external_refs: [],
  ...part,
});

describe("a dispatch", () => {
  it("is an offer that runs out", () => {
    expect(patience(dispatch({}), AT + 45_000)).toBe(15_000);
    expect(patience(dispatch({}), AT + 90_000)).toBe(0);
    expect(patience(dispatch({ status: "accepted" }), AT)).toBeNull();
  });

  it("is expected by the way that was told when it was sent", () => {
    const going = dispatch({
      status: "en_route",
      times: { ...times, en_route: iso(AT) },
    });
    expect(onTheWay(going, AT + 60_000)).toBe(540_000);
    expect(onTheWay(going, AT + 660_000)).toBe(-60_000);
    expect(onTheWay({ ...going, travel_s: null }, AT)).toBeNull();
    expect(onTheWay(dispatch({}), AT)).toBeNull();
  });

  it("tells what was heard later than it was done", () => {
    const late = dispatch({
      status: "on_scene",
      times: { ...times, on_scene: iso(AT) },
      received: { ...times, on_scene: iso(AT + 300_000) },
    });
    expect(heardLater(late)).toBe(300_000);
    expect(
      heardLater({
        ...late,
        received: { ...times, on_scene: iso(AT + 20_000) },
      }),
    ).toBe(0);
  });

  it("goes one step at a time, and is declined only before it sets out", () => {
    const asked = (status: Dispatch["status"]) => {
      const d = dispatch({ status });
      return [nextMove(d), mayDecline(d)];
    };
    expect(asked("offered")).toEqual(["accepted", true]);
    expect(asked("en_route")).toEqual(["on_scene", false]);
    expect(asked("done")).toEqual([null, false]);
  });
});

describe("dispatches of an incident", () => {
  it("are the newest of each, those that bind a unit first", () => {
    const read = [
      dispatch({ id: "03", status: "declined", version: 2 }),
      dispatch({ id: "01", version: 1 }),
    ];
    const live = [
      dispatch({ id: "01", version: 3, status: "en_route" }),
      dispatch({ id: "02" }),
      dispatch({ id: "09", incident: "i2" }),
    ];
    expect(together(read, live, "i1").map((d) => [d.id, d.status])).toEqual([
      ["02", "offered"],
      ["01", "en_route"],
      ["03", "declined"],
    ]);
  });

  it("keep what was read where it is newer", () => {
    const read = [dispatch({ version: 4, status: "on_scene" })];
    expect(together(read, [dispatch({ version: 3 })], "i1")[0]?.status).toBe(
      "on_scene",
    );
  });
});
