import { describe, expect, it } from "vitest";
import { Late } from "./late";
import { LATE_MS, Pace } from "./pace";

/** A machine by hand: frames come when told, and a frame keeps the thread for `busy` milliseconds. */
function machine() {
  let at = 1_000;
  const frames: (() => void)[] = [];
  const later: { at: number; run: () => void }[] = [];
  const pace = new Pace({
    now: () => at,
    frame: (run) => frames.push(run),
    after: (ms, run) => later.push({ at: at + ms, run }),
  });
  const due = () => {
    for (;;) {
      const i = later.findIndex((l) => l.at <= at);
      if (i < 0) return;
      later.splice(i, 1)[0]?.run();
    }
  };
  return {
    pace,
    get waiting() {
      return frames.length;
    },
    pass(ms: number) {
      at += ms;
      due();
    },
    frame(busy: number) {
      for (const run of frames.splice(0)) run();
      at += busy;
      due();
    },
  };
}

describe("the pace of frames", () => {
  it("draws once for all that was asked since the last frame", () => {
    const m = machine();
    let drawn = 0;
    const soon = m.pace.paced(() => drawn++);
    soon();
    soon();
    m.frame(5);
    expect(drawn).toBe(1);
    soon();
    m.frame(5);
    expect(drawn).toBe(2);
    expect(m.pace.cost).toBeCloseTo(5);
  });

  it("gathers what is to be expected, and draws it once", () => {
    const m = machine();
    let asked = 0;
    let gather = 80;
    const ask = m.pace.spared(
      () => asked++,
      1,
      () => gather,
    );
    ask();
    m.pass(60);
    ask();
    expect(asked).toBe(0);
    m.pass(20);
    expect(asked).toBe(1);
    gather = 0;
    ask();
    expect(asked).toBe(2);
  });

  it("leaves half of the time to others where frames are slow", () => {
    const m = machine();
    const soon = m.pace.paced(() => undefined);
    soon();
    m.frame(600);
    soon();
    expect(m.waiting).toBe(0);
    m.pass(500);
    expect(m.waiting).toBe(0);
    m.pass(101);
    expect(m.waiting).toBe(1);
  });

  it("counts what one late frame asked for, although the frames before it were quick", () => {
    const m = machine();
    let frames = 0;
    const ask = m.pace.spared(() => frames++, 3);
    m.pace.begin();
    m.pass(10);
    m.pace.begin();
    ask();
    ask();
    expect(frames).toBe(0);
    m.pass(200);
    expect(frames).toBe(0);
    m.pass(599);
    expect(frames).toBe(0);
    m.pass(1);
    expect(frames).toBe(1);
  });

  it("keeps back what asks for frames by itself, and asks once for all of it", () => {
    const m = machine();
    let asked = 0;
    const ask = m.pace.spared(() => asked++);
    ask();
    expect(asked).toBe(1);
    m.pace.begin();
    m.pass(400);
    ask();
    ask();
    expect(asked).toBe(1);
    m.pass(401);
    expect(asked).toBe(2);
  });

  it("takes up its pace again when frames are quick", () => {
    const m = machine();
    const soon = m.pace.paced(() => undefined);
    soon();
    m.frame(LATE_MS * 2);
    for (let i = 0; i < 6; i++) {
      soon();
      m.pass(LATE_MS * 3);
      m.frame(4);
    }
    soon();
    expect(m.waiting).toBe(1);
  });
});

describe("data of the map on a slow machine", () => {
  it("goes in at once where frames are quick", () => {
    const told: string[] = [];
    const late = new Late({ cost: 8 }, (name: string) => told.push(name));
    late.ask("watch");
    expect(told).toEqual(["watch"]);
  });

  it("is gathered where they are slow, each source once", async () => {
    const told: string[] = [];
    const pace = { cost: LATE_MS + 1 };
    const late = new Late(pace, (name: string) => told.push(name));
    late.ask("watch");
    late.ask("things");
    late.ask("watch");
    expect(told).toEqual([]);
    await new Promise((done) => setTimeout(done, (LATE_MS + 1) * 8 + 60));
    expect(told).toEqual(["watch", "things"]);
    late.ask("watch");
    late.stop();
  });
});
