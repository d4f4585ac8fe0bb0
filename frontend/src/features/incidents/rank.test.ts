import { describe, expect, it } from "vitest";
import type { Incident, Severity } from "../../wire/wire";
import { language } from "../../i18n/lang.svelte";
import { evidenceLines } from "./evidence";
import { titleParts } from "./title";
import {
  placePlate,
  placeWords,
  plateHeight,
  plateLines,
  stepAside,
  type Spot,
} from "./place";
import {
  countBySeverity,
  framed,
  loudest,
  markPx,
  shortNumber,
  splitTitle,
  worstFirst,
} from "./rank";

const make = (id: string, severity: Severity, more = {}): Incident =>
  ({
    id,
    number: `SLK-2026-${id}`,
    severity,
    status: "acknowledged",
    opened_at: "2026-11-22T07:00:00.000Z",
    location: { lng: 100, lat: -1 },
    why: { inputs: [] },
    evidence: [],
    ...more,
  }) as unknown as Incident;

describe("incidents in order", () => {
  it("stand worst first, what nobody judged before the minor ones", () => {
    const list = (
      ["Minor", "Unknown", "Extreme", "Moderate", "Severe"] as const
    ).map((s) => make(s, s));
    const want = ["Extreme", "Severe", "Moderate", "Unknown", "Minor"];
    expect(worstFirst(list).map((i) => i.id)).toEqual(want);
    expect(worstFirst([...list].reverse()).map((i) => i.id)).toEqual(want);
  });

  it("put the unacknowledged first, then the newest", () => {
    const list = [
      make("old", "Severe"),
      make("younger", "Severe", { opened_at: "2026-11-22T07:01:00.000Z" }),
      make("new", "Severe", {
        status: "new",
        opened_at: "2026-11-22T06:00:00.000Z",
      }),
    ];
    expect(worstFirst(list).map((i) => i.id)).toEqual([
      "new",
      "younger",
      "old",
    ]);
  });

  it("count a severity this screen does not know as not assessed", () => {
    const odd = make("x", "Catastrophic" as Severity);
    expect(countBySeverity([odd]).Unknown).toBe(1);
    expect(markPx(odd.severity)).toBe(markPx("Unknown"));
    expect(worstFirst([make("m", "Minor"), odd])[0]?.id).toBe("x");
  });

  it("count nothing that is simulated", () => {
    const drill = { ...make("d", "Extreme"), simulated: true };
    expect(countBySeverity([drill, make("r", "Extreme")]).Extreme).toBe(1);
  });

  it("pulse only while Extreme and not acknowledged", () => {
    expect(loudest(make("a", "Extreme", { status: "new" }))).toBe(true);
    expect(loudest(make("a", "Extreme"))).toBe(false);
    expect(loudest(make("a", "Severe", { status: "new" }))).toBe(false);
  });

  it("frame those with a place that are not minor", () => {
    const list = [
      make("a", "Severe"),
      make("b", "Minor"),
      make("c", "Extreme", { location: null }),
    ];
    expect(framed(list).map((i) => i.id)).toEqual(["a"]);
  });
});

describe("names", () => {
  it("shorten numbers and split titles", () => {
    expect(shortNumber("SLK-2026-000418")).toBe("418");
    expect(shortNumber("SLK-2026-000000")).toBe("0");
    expect(splitTitle("Galodo, Batang Lembang, Muaro Paneh")).toEqual({
      event: "Galodo",
      rest: "Batang Lembang, Muaro Paneh",
    });
    expect(splitTitle("Galodo").rest).toBe("");
  });
});

describe("the parts of a title", () => {
  it("are what happened and the rest, but a type's name is one", () => {
    const title = "Flash flood, debris flow";
    expect(titleParts(make("a", "Severe", { title, version: 0 }))).toEqual({
      event: title,
      rest: "",
    });
    expect(titleParts(make("a", "Severe", { title, version: 1 })).rest).toBe(
      "debris flow",
    );
  });
});

describe("the plate of the loudest", () => {
  it("grows with its words rather than cutting them", () => {
    expect(plateLines("Galodo 418")).toBe(1);
    expect(plateLines("Kebakaran bangunan 7")).toBe(2);
    expect(plateLines("Kecelakaan lalu lintas jalan raya 415")).toBe(3);
    expect(plateLines("x".repeat(200))).toBe(3);
    expect([1, 2, 3].map(plateHeight)).toEqual([92, 116, 149]);
  });
});

describe("evidence", () => {
  it("names the sensor, keeps one line for each and writes the value as the language does", () => {
    language.set("id");
    const at = "2026-11-22T07:00:00.000Z";
    const incident = make("a", "Severe", {
      why: {
        inputs: [
          {
            thing: "awlr:1",
            property: "water_level",
            value: 3.41,
            unit: "m",
            at,
          },
        ],
      },
      evidence: [
        {
          kind: "observation",
          ref: "awlr:1",
          reason: "r",
          at: "2026-11-22T06:00:00.000Z",
        },
        { kind: "observation", ref: "awlr:1", reason: "r", at },
        { kind: "report", ref: "x", reason: "", text: "7 laporan", at: null },
      ],
    });
    const lines = evidenceLines(incident, () => ({ name: "AWLR" }) as never);
    expect(lines.map((l) => [l.lead, l.value])).toEqual([
      ["AWLR", "3,41 m"],
      ["7 laporan", ""],
    ]);
  });

  it("keeps the figure of what the server noted in its own words", () => {
    language.set("id");
    const noted = (text: string) =>
      evidenceLines(
        make("a", "Severe", {
          evidence: [
            { kind: "observation", ref: "awlr:1", reason: "", text, at: null },
          ],
        }),
        () => undefined,
      )[0]?.value;
    expect(noted("water_level_rise 2.2194 m")).toBe("2,22 m");
    expect(noted("impact 4")).toBe("4");
    expect(noted("a 1 m, b 2 m")).toBe("1 m");
    expect(noted("kata orang")).toBe("kata orang");
  });

  it("says the house's own reason in the reader's language", () => {
    const of = (reason: string) =>
      evidenceLines(
        make("a", "Severe", {
          evidence: [{ kind: "note", ref: "user:budi", reason, at: null }],
        }),
        () => undefined,
      )[0]?.lead;
    language.set("id");
    expect(of("reported by a person")).toBe("dilaporkan orang");
    expect(of("rule muka-air")).toBe("dari aturan muka-air");
    language.set("en");
    expect(of("reported by a person")).toBe("reported by a person");
    expect(of("near the school")).toBe("near the school");
    language.set("id");
  });

  it("bears lists that are null", () => {
    const incident = make("a", "Severe", {
      evidence: null,
      why: { inputs: null },
    });
    expect(evidenceLines(incident, () => undefined)).toEqual([]);
  });
});

describe("words beside marks", () => {
  const spot = (id: string, x: number, y: number): Spot => ({
    id,
    x,
    y,
    half: 20,
    width: 50,
    height: 30,
  });
  const size = { width: 400, height: 400 };

  it("go to the right, else where nothing stands", () => {
    const sides = placeWords(
      [spot("a", 200, 200), spot("b", 260, 200)],
      size,
      5,
    );
    expect(sides.get("a")).toBe("left");
    expect(sides.get("b")).toBe("right");
  });
  it("never leave the map or go under a panel", () => {
    expect(placeWords([spot("a", 390, 200)], size, 5).get("a")).toBe("left");
    const panel = { x: 200, y: 150, w: 200, h: 100 };
    const sides = placeWords([spot("a", 200, 200)], size, 5, [panel]);
    expect(sides.get("a")).toBe("left");
  });
  it("vanish where every side is taken", () => {
    const crowd = [0, 1, 2, 3].map((i) => spot(`${i}`, 20, 20));
    expect([
      ...placeWords(crowd, { width: 40, height: 40 }, 5).values(),
    ]).toEqual(["none", "none", "none", "none"]);
  });
});

describe("marks at one place", () => {
  const mark = (id: string, x: number, half = 20) => ({ id, x, y: 200, half });
  const size = { width: 400, height: 400 };

  it("stand beside one another, the first in its place", () => {
    const aside = stepAside(
      [mark("a", 100), mark("b", 100), mark("c", 103)],
      size,
    );
    expect(aside.has("a")).toBe(false);
    expect(aside.get("b")).toEqual({ x: 54, y: 0 });
    const c = aside.get("c") ?? { x: 0, y: 0 };
    expect(Math.hypot(103 + c.x - 100, c.y)).toBeCloseTo(54);
    expect(Math.hypot(103 + c.x - 154, c.y)).toBeGreaterThan(16);
  });

  it("stay where they are while each is seen", () => {
    expect(stepAside([mark("a", 100), mark("b", 117)], size).size).toBe(0);
    expect(stepAside([], size).size).toBe(0);
  });

  it("are told apart by the larger one", () => {
    const small = stepAside([mark("a", 100, 37), mark("b", 123, 18)], size);
    expect([...small.keys()]).toEqual(["b"]);
  });

  it("do not take the place of one that stands alone", () => {
    const aside = stepAside(
      [mark("a", 100), mark("b", 100), mark("c", 154)],
      size,
    );
    expect([...aside.keys()]).toEqual(["b"]);
    expect(aside.get("b")?.y).not.toBe(0);
  });

  it("stay on the map and out of panels", () => {
    const edge = stepAside([mark("a", 390), mark("b", 390)], size).get("b");
    expect(edge?.x).toBeLessThan(0);
    const panel = { x: 120, y: 0, w: 280, h: 400 };
    const left = stepAside([mark("a", 100), mark("b", 100)], size, [panel]);
    expect(left.get("b")?.x).toBeLessThanOrEqual(0);
  });

  it("lie on each other where all around is full", () => {
    const crowd = Array.from({ length: 40 }, (_, i) => mark(`${i}`, 200));
    const aside = stepAside(crowd, size);
    const places = new Set(
      crowd.map(({ id }) => {
        const { x, y } = aside.get(id) ?? { x: 0, y: 0 };
        return `${Math.round(x)} ${Math.round(y)}`;
      }),
    );
    expect(places.size).toBe(17);
  });
});

describe("the plate of the loudest", () => {
  const loud = { id: "a", x: 200, y: 200, half: 20, width: 0, height: 0 };
  const size = { width: 400, height: 400 };
  const plate = { width: 100, height: 40 };
  const first = placePlate(loud, plate, [loud], size, 10);
  const there = { x: loud.x + first.x, y: loud.y + first.y, w: 100, h: 40 };

  it("keeps clear of pins", () => {
    const at = placePlate(loud, plate, [loud], size, 10, [], [there]);
    expect(at).not.toEqual(first);
  });

  it("hides marks rather than lie under a panel", () => {
    const above = { x: 0, y: 0, w: 400, h: 175 };
    const right = { x: 225, y: 0, w: 175, h: 400 };
    const below = { x: 0, y: 225, w: 400, h: 175 };
    const others = ["b", "c"].map((id) => ({ ...loud, id, x: 120 }));
    const at = placePlate(loud, plate, [loud, ...others], size, 10, [
      above,
      right,
      below,
    ]);
    expect(at).toEqual({ x: -130, y: -20 });
  });
});

it("a number keeps clear of pins where it can, and stands on one where it must", () => {
  const spot = { id: "a", x: 200, y: 200, half: 20, width: 40, height: 20 };
  const size = { width: 400, height: 400 };
  const pin = { x: 230, y: 190, w: 20, h: 20 };
  expect(placeWords([spot], size, 5, [], [pin]).get("a")).toBe("left");
  const all = { x: 0, y: 0, w: 400, h: 400 };
  expect(placeWords([spot], size, 5, [], [all]).get("a")).toBe("right");
});
