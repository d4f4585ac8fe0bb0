import { describe, expect, it } from "vitest";
import type { Profile } from "../../api/profile";
import type { AreaStatus } from "../../wire/wire";
import { leading, levelWord, scaleWords } from "./level";
import { calm, inOrder, mayConfirm, maySet } from "./panel";

const status = (hazard: string, level: number, more: object = {}): AreaStatus =>
  ({
    id: hazard,
    hazard,
    level,
    names: {},
    scales: [],
    proposal: null,
    simulated: false,
    since: "2026-11-22T07:00:00Z",
    ...more,
  }) as unknown as AreaStatus;

const PROFILE = {
  levels: {
    status: [
      { level: 1, code: "normal", names: { id: "Normal", en: "Normal" } },
      { level: 3, code: "siaga", names: { id: "Siaga", en: "Watch" } },
    ],
    scales: [
      {
        scale: "river_gate",
        names: { id: "Siaga pintu air", en: "River gate alert" },
        direction: "down",
        steps: [{ code: "I", names: { id: "Siaga I (terburuk)" }, status: 2 }],
      },
    ],
  },
} as unknown as Profile;

describe("the level of the area", () => {
  it("is the worst confirmed one, told by its hazard", () => {
    const all = [status("area", 3), status("flood", 3), status("volcano", 2)];
    expect(leading(all)?.status.hazard).toBe("flood");
    expect(leading(all)?.more).toBe(1);
  });

  it("is the area's own where all is Normal, and none where nobody says", () => {
    expect(leading([status("flood", 1), status("area", 1)])).toEqual({
      status: status("area", 1),
      more: 0,
    });
    expect(leading([])).toBeNull();
  });

  it("never takes a proposal or an exercise for a fact", () => {
    const all = [
      status("area", 1),
      status("flood", 1, { proposal: { level: 4 } }),
      status("eq~simulated", 4, { simulated: true }),
    ];
    expect(leading(all)?.status.level).toBe(1);
  });

  it("puts what waits for somebody first", () => {
    const all = [
      status("area", 1),
      status("flood", 3),
      status("volcano", 1, { proposal: { level: 3 } }),
    ];
    expect(inOrder(all).map((s) => s.hazard)).toEqual([
      "volcano",
      "flood",
      "area",
    ]);
    expect(calm(status("fire", 1))).toBe(true);
    expect(calm(status("fire", 1, { proposal: { level: 2 } }))).toBe(false);
  });

  it("is leadership's from 4 on, and back from there", () => {
    const supervisor = { propose: true, confirm: false };
    expect(maySet(status("flood", 1), 3, supervisor)).toBe(true);
    expect(maySet(status("flood", 1), 4, supervisor)).toBe(false);
    expect(maySet(status("flood", 4), 1, supervisor)).toBe(false);
    expect(
      maySet(status("flood", 4), 1, { propose: true, confirm: true }),
    ).toBe(true);
  });

  it("has a word, and a step of another scale keeps its own", () => {
    expect(levelWord(PROFILE, 3, "en")).toBe("Watch");
    expect(levelWord(null, 3, "en")).toBe("");
    expect(
      scaleWords(PROFILE, { scale: "river_gate", step: "i" }, "id"),
    ).toEqual({ scale: "Siaga pintu air", step: "Siaga I (terburuk)" });
    expect(scaleWords(PROFILE, { scale: "x", step: "IV" }, "id").step).toBe(
      "IV",
    );
  });
});

describe("who confirms a proposal", () => {
  const right = { propose: true, confirm: false };
  const asked = status("flood", 1, {
    proposal: { level: 3, who: ["supervisor"] },
  });
  it("is whom the rules name", () => {
    expect(mayConfirm(asked, right, ["operator"])).toBe(false);
    expect(mayConfirm(asked, right, ["operator", "supervisor"])).toBe(true);
    expect(
      mayConfirm(asked, { ...right, propose: false }, ["supervisor"]),
    ).toBe(false);
    expect(mayConfirm(status("flood", 1), right, ["supervisor"])).toBe(false);
  });
  it("is leadership alone where its level is proposed", () => {
    const worst = status("flood", 1, { proposal: { level: 4, who: [] } });
    expect(mayConfirm(worst, right, ["supervisor"])).toBe(false);
    expect(mayConfirm(worst, { ...right, confirm: true }, ["leader"])).toBe(
      true,
    );
  });
});
