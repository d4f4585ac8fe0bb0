import { describe, expect, it } from "vitest";
import { createFrame } from "./frame";
import { BLOCK, Fleet } from "./fleet.svelte";

const AT = 1_795_417_450_000;

function setup() {
  const frames: (() => void)[] = [];
  const fleet = new Fleet(createFrame((run) => frames.push(run)));
  const announce = (slot: number, id: string, more = {}) => {
    fleet.announce(slot, {
      id,
      feed: "gps",
      kind: "truck",
      name: `Truk ${id}`,
      attribution: "Dishub",
      simulated: false,
      staleMs: 10_000,
      ...more,
    });
  };
  const paint = () => {
    frames.splice(0).forEach((run) => {
      run();
    });
  };
  return { fleet, announce, paint };
}

describe("the fleet", () => {
  it("keeps a Thing's words and place under its slot, whichever comes first", () => {
    const { fleet, announce } = setup();
    fleet.move(7, 100.6, -0.8, 90, 12, AT);
    announce(7, "gps:1");
    announce(3, "gps:2");
    fleet.move(3, 100.7, -0.9, Number.NaN, Number.NaN, AT + 1);
    expect(fleet.size).toBe(2);
    expect(fleet.find("gps:1")).toMatchObject({
      lng: 100.6,
      lat: -0.8,
      heading: 90,
      speed: 12,
      kind: "truck",
      staleAtMs: AT + 10_000,
    });
    expect(fleet.find("gps:2")?.heading).toBeNaN();
    expect(fleet.find("gps:3")).toBeUndefined();
  });

  it("reads a frame's moves in columns as it reads them one by one", () => {
    const { fleet, announce } = setup();
    announce(5, "gps:1");
    const none = 0xffff;
    fleet.moves({
      count: 3,
      slots: Uint32Array.of(5, 900_000, 2 ** 31),
      lng: Int32Array.of(100_600_000, -0x80000000, 1),
      lat: Int32Array.of(-800_000, -0x80000000, 1),
      heading: Uint16Array.of(9_000, none, 0),
      speed: null,
      ago: Uint32Array.of(1_000, 0xffffffff, 0),
      baseMs: AT,
    });
    // The third has a number that no server gives.
    expect(fleet.size).toBe(2);
    expect(fleet.find("gps:1")).toMatchObject({
      lng: 100.6,
      lat: -0.8,
      heading: 90,
      speed: Number.NaN,
      atMs: AT - 1_000,
    });
    expect(fleet.at(1)).toMatchObject({
      lng: Number.NaN,
      lat: Number.NaN,
      heading: Number.NaN,
      atMs: 0,
    });
    const stamp = fleet.stamp;
    fleet.done();
    expect(fleet.stamp).toBe(stamp + 1);
  });

  it("puts the last Thing in the place of one that leaves", () => {
    const { fleet, announce } = setup();
    for (let i = 0; i < 5; i++) {
      announce(i, `gps:${i}`);
      fleet.move(i, 100 + i, -i, 0, 0, AT);
      fleet.value(i, "load", "t", i, AT, "good");
    }
    fleet.remove(1);
    fleet.remove(4);
    fleet.remove(99);
    expect(fleet.size).toBe(3);
    for (const i of [0, 2, 3]) {
      const found = fleet.find(`gps:${i}`);
      expect(found).toMatchObject({ lng: 100 + i, name: `Truk gps:${i}` });
      expect(found?.values).toEqual([
        { property: "load", unit: "t", value: i, atMs: AT, quality: "good" },
      ]);
    }
    expect(fleet.indexOf("gps:1")).toBe(-1);
    expect(fleet.indexOf("gps:4")).toBe(-1);
  });

  it("gives nothing of its former owner to a slot that is used again", () => {
    const { fleet, announce } = setup();
    announce(2, "gps:old");
    fleet.value(2, "load", "t", 9, AT, "good");
    fleet.remove(2);
    announce(2, "gps:new");
    expect(fleet.find("gps:new")?.values).toEqual([]);
    // Also where the removal was missed.
    fleet.value(2, "load", "t", 8, AT, "good");
    announce(2, "gps:newer");
    expect(fleet.find("gps:newer")?.values).toEqual([]);
    expect(fleet.indexOf("gps:new")).toBe(-1);
    expect(fleet.size).toBe(1);
  });

  it("keeps values of every type, the newest of each property", () => {
    const { fleet, announce } = setup();
    announce(1, "gps:1");
    fleet.value(1, "door", "", true, AT, "good");
    fleet.value(1, "state", "", "berhenti", AT, "received");
    fleet.value(1, "load", "t", 3, AT + 5, "good");
    fleet.value(1, "load", "t", 2, AT, "good");
    expect(fleet.find("gps:1")?.values.map((v) => v.value)).toEqual([
      true,
      3,
      "berhenti",
    ]);
    expect(fleet.valueOf(fleet.indexOf("gps:1"), "state")?.quality).toBe(
      "received",
    );
    expect(fleet.valueOf(0, "none")).toBeUndefined();
  });

  it("grows far and starts over", () => {
    const { fleet, announce } = setup();
    for (let i = 0; i < 3_000; i++) {
      announce(i * 5, `gps:${i}`);
      fleet.move(i * 5, i / 100, 0, 0, 0, AT);
    }
    expect(fleet.size).toBe(3_000);
    expect(fleet.find("gps:2999")?.lng).toBe(29.99);
    fleet.reset();
    fleet.done();
    expect(fleet.size).toBe(0);
    expect(fleet.find("gps:2999")).toBeUndefined();
    fleet.move(14_995, 1, 2, 0, 0, AT);
    expect(fleet.size).toBe(1);
  });

  it("takes no slot that no server has", () => {
    const { fleet } = setup();
    fleet.move(0xffff_fff0, 1, 2, 0, 0, AT);
    expect(fleet.size).toBe(0);
  });

  it("moves its version once per frame and notes which blocks changed", () => {
    const { fleet, paint } = setup();
    for (let i = 0; i < BLOCK + 1; i++) fleet.move(i, 1, 2, 0, 0, AT);
    fleet.done();
    fleet.done();
    paint();
    expect(fleet.version).toBe(1);
    const before = fleet.stamp;
    fleet.move(BLOCK, 2, 2, 0, 0, AT);
    fleet.done();
    paint();
    expect(fleet.version).toBe(2);
    expect(fleet.blocks[0]).toBeLessThan(before);
    expect(fleet.blocks[1]).toBe(before);
  });

  it("finds by name or id, beginnings first", () => {
    const { fleet, announce } = setup();
    announce(1, "gps:1", { name: "Pos Lembang" });
    announce(2, "gps:2", { name: "Lembang Hulu" });
    announce(3, "awlr:lembang", { name: "AWLR 3" });
    const names = (text: string) => fleet.search(text, 2).map((t) => t.name);
    expect(names("LEMBANG")).toEqual(["Lembang Hulu", "Pos Lembang"]);
    expect(names("awlr")).toEqual(["AWLR 3"]);
    expect(names("  ")).toEqual([]);
  });
});
