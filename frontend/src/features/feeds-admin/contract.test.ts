import { describe, expect, it } from "vitest";
import { readContract } from "./contract";

const contract = {
  off: false,
  learning: false,
  since: "2026-11-27T07:00:00.000Z",
  deliveries: 12,
  items: 144,
  things: 12,
  bbox: [100.6, -0.9, 100.7, -0.8],
  declared: {
    properties: {
      water_level: { unit: "cm", min: 0, max: 12 },
      battery: { required: true },
    },
  },
  properties: [
    {
      kind: "river_gauge",
      property: "water_level",
      readings: 144,
      type: "number",
      units: { m: 140, "": 4 },
      low: 0.4,
      high: 3.2,
      presence: 0.95,
    },
    { kind: "river_gauge", property: "note", readings: 3, type: "text" },
  ],
};

describe("a contract", () => {
  it("is none where the server tells none", () => {
    expect(readContract(null)).toBeNull();
  });
  it("shows what was learned beside what is written down", () => {
    const view = readContract(contract);
    expect(view).toMatchObject({ deliveries: 12, things: 12, learning: false });
    expect(view?.box).toHaveLength(4);
    expect(view?.rows[0]).toMatchObject({
      unit: "m",
      declaredUnit: "cm",
      learned: { min: 0.4, max: 3.2 },
      declared: { min: 0, max: 12 },
    });
    expect(view?.rows[0]?.missing).toBeCloseTo(0.05);
  });
  it("has no range of texts, and lists what is written down but never came", () => {
    const rows = readContract(contract)?.rows ?? [];
    expect(rows[1]?.learned).toBeNull();
    expect(rows[2]).toMatchObject({
      property: "battery",
      required: true,
      readings: 0,
      missing: null,
    });
  });
});
