import { describe, expect, it } from "vitest";
import { createFrame } from "./frame";
import { isNewer, parseCursor } from "./cursor";
import { Room } from "./room.svelte";

const incident = (id: string, title: string, more = {}) => ({
  id,
  title,
  status: "new",
  severity: "Severe",
  simulated: false,
  ...more,
});

function setup() {
  const frames: (() => void)[] = [];
  const frame = createFrame((run) => frames.push(run));
  let now = 0;
  const room = new Room(() => now, frame);
  return {
    room,
    frames,
    advance: (ms: number) => (now += ms),
    paint: () => {
      frames.splice(0).forEach((run) => {
        run();
      });
    },
  };
}

describe("the room's stores", () => {
  it("shows a burst once per frame, the newest of each", () => {
    const { room, frames, paint } = setup();
    room.receive({ type: "snapshot", cursor: "e:1" });
    for (let i = 2; i < 50; i++) {
      room.receive({
        type: "incident",
        cursor: `e:${i}`,
        incident: incident("a", `title ${i}`),
      });
    }
    expect(frames.length).toBe(1);
    expect(room.incidents.all).toEqual([]);
    paint();
    expect(room.incidents.all.map((i) => i.title)).toEqual(["title 49"]);
  });

  it("shows what sources and latency are along with something else, by the clock's next step at the latest", () => {
    const { room, frames, paint } = setup();
    room.receive({ type: "snapshot", cursor: "e:1" });
    paint();
    const tell = (name: string, p50: number) => {
      room.receive({ type: "feed", feeds: [{ name, simulated: false }] });
      room.receive({ type: "stats", latency_ms: { event_p50: p50 } });
    };
    tell("awlr", 5);
    expect(frames).toHaveLength(0);
    room.receive({
      type: "incident",
      cursor: "e:2",
      incident: incident("a", "x"),
    });
    paint();
    expect(room.feeds.all.map((f) => f.name)).toEqual(["awlr"]);
    expect(room.latency).toEqual({ event_p50: 5 });
    tell("hujan", 6);
    room.tick();
    expect(room.feeds.all.map((f) => f.name)).toEqual(["awlr", "hujan"]);
    expect(room.latency).toEqual({ event_p50: 6 });
  });

  it.each(["alarms", "suggestions", "plans", "statements", "statuses"])(
    "says that something is not real where only %s are",
    (noun) => {
      const { room, paint } = setup();
      const one = {
        id: "x",
        simulated: true,
        state: {
          alarms: "raised",
          suggestions: "offered",
          plans: "planned",
          statements: "in_force",
        }[noun],
      };
      room.receive({ type: "snapshot", cursor: "e:1", [noun]: [one] });
      paint();
      expect(room.simulated).toBe(true);
    },
  );

  it("holds what stands of every noun and lets go of what is over", () => {
    const { room, paint } = setup();
    room.receive({
      type: "snapshot",
      cursor: "e:1",
      alarms: [
        { id: "a", state: "raised" },
        { id: "b", state: "cleared", latched: true },
        { id: "c", state: "cleared" },
      ],
      suggestions: [{ id: "s", state: "offered" }],
      plans: [{ id: "p", state: "planned" }],
      statements: [{ id: "t", state: "in_force" }],
      statuses: [{ id: "area", level: 1 }],
    });
    const ids = () => {
      paint();
      return [
        room.alarms,
        room.suggestions,
        room.plans,
        room.statements,
        room.statuses,
      ]
        .map((noun) => noun.all.map((d) => d.id).join())
        .join(" ");
    };
    expect(ids()).toBe("a,b s p t area");
    const over: [string, object][] = [
      ["alarm", { id: "b", state: "cleared", latched: false }],
      ["suggestion", { id: "s", state: "refused" }],
      ["plan", { id: "p", state: "over" }],
      ["statement", { id: "t", state: "replaced" }],
      ["status", { id: "flood", level: 3 }],
    ];
    over.forEach(([type, doc], i) => {
      room.receive({ type, cursor: `e:${i + 2}`, [type]: doc });
    });
    expect(ids()).toBe("a    area,flood");
  });

  it("holds the reports that nobody closed", () => {
    const { room, paint } = setup();
    const report = (id: string, status: string) => ({ id, status });
    room.receive({
      type: "snapshot",
      cursor: "e:1",
      reports: [report("a", "open")],
      reports_cut: true,
    });
    room.receive({
      type: "report",
      cursor: "e:2",
      report: report("b", "open"),
    });
    room.receive({
      type: "report",
      cursor: "e:3",
      report: report("a", "closed"),
    });
    paint();
    expect(room.reports.all.map((r) => r.id)).toEqual(["b"]);
    expect(room.reportsCut).toBe(true);
  });

  it("drops what is older than what it knows, also than the snapshot", () => {
    const { room, paint } = setup();
    room.receive({
      type: "snapshot",
      cursor: "e:10",
      incidents: [incident("a", "of the snapshot")],
    });
    room.receive({
      type: "incident",
      cursor: "e:9",
      incident: incident("a", "older"),
    });
    room.receive({
      type: "incident",
      cursor: "e:12",
      incident: incident("b", "twelve"),
    });
    room.receive({
      type: "incident",
      cursor: "e:11",
      incident: incident("b", "eleven"),
    });
    paint();
    expect(room.incidents.all.map((i) => i.title).sort()).toEqual([
      "of the snapshot",
      "twelve",
    ]);
  });

  it("lets a closed incident and an ended alert leave", () => {
    const { room, paint } = setup();
    room.receive({
      type: "snapshot",
      cursor: "e:1",
      incidents: [incident("a", "a"), incident("b", "b")],
      alerts: [{ id: "x", state: "active" }],
    });
    room.receive({
      type: "incident",
      cursor: "e:2",
      incident: incident("a", "a", { status: "closed" }),
    });
    room.receive({
      type: "alert",
      cursor: "e:3",
      alert: { id: "x", state: "cancelled" },
    });
    paint();
    expect(room.incidents.all.map((i) => i.id)).toEqual(["b"]);
    expect(room.alerts.all).toEqual([]);
  });

  it("replaces everything by a snapshot, so that nothing outlives a gap", () => {
    const { room, paint } = setup();
    room.receive({
      type: "snapshot",
      cursor: "e:1",
      incidents: [incident("a", "a")],
    });
    room.receive({ type: "snapshot", cursor: "f:1", incidents: null });
    paint();
    expect(room.incidents.all).toEqual([]);
    expect(room.settled).toBe(true);
  });

  it("measures from a message of Things to the frame that shows it", () => {
    const { room, advance, paint } = setup();
    room.fleet.move(1, 100, 0, 0, 0, 0);
    room.fleet.done();
    advance(12);
    room.hexes.cell(1, "truck", 2, 0, "", 0, 0, [], false);
    room.hexes.done();
    expect(room.crowded).toBe(false);
    advance(8);
    paint();
    room.tick();
    expect(room.paintMs).toBe(20);
    expect(room.crowded).toBe(true);
  });

  it("carries the server's clock on by the monotonic one", () => {
    const { room, advance } = setup();
    room.receive({
      type: "hello",
      server_time: "2026-11-22T07:02:47.000Z",
      storage: "volatile",
    });
    advance(3_500);
    room.tick();
    expect(new Date(room.now).toISOString()).toBe("2026-11-22T07:02:50.500Z");
    expect(room.storage).toBe("volatile");
    // The page was busy when it was greeted; a pong is read at once.
    room.receive({ type: "pong", server_time: "2026-11-22T07:02:51.200Z" });
    room.tick();
    expect(new Date(room.now).toISOString()).toBe("2026-11-22T07:02:51.200Z");
  });

  it("says that something is simulated", () => {
    const { room, paint } = setup();
    room.receive({
      type: "snapshot",
      cursor: "e:1",
      incidents: [incident("a", "a", { simulated: true })],
    });
    paint();
    expect(room.simulated).toBe(true);
  });

  it("ignores nouns of later parts", () => {
    const { room } = setup();
    expect(() => {
      room.receive({ type: "dispatch", cursor: "e:1", dispatch: {} });
    }).not.toThrow();
  });
});

describe("cursors", () => {
  it.each([
    ["e:2", "e:1", true],
    ["e:1", "e:1", false],
    ["e:9", "e:10", false],
    ["f:1", "e:10", true],
    ["", "e:10", true],
  ])("%s after %s is newer: %s", (next, have, want) => {
    expect(isNewer(parseCursor(next), parseCursor(have))).toBe(want);
  });
});
