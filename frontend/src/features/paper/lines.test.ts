import { describe, expect, it } from "vitest";
import type { Profile } from "../../api/profile";
import { unitLines } from "./lines";

const profile = {
  agencies: [
    { slug: "bpbd", name: "BPBD" },
    { slug: "damkar", name: "Damkar" },
  ],
  capabilities: [{ code: "boat", names: { id: "perahu", en: "boat" } }],
  units: [
    {
      agency: "damkar",
      call_sign: "d-1",
      name: "Damkar 1",
      capabilities: [],
      post: { name: "Pos Arosuka", lng: 0, lat: 0 },
    },
    {
      agency: "bpbd",
      call_sign: "trc-1",
      name: "TRC 1",
      capabilities: ["boat", "drone"],
      post: { name: "Kantor", lng: 0, lat: 0 },
    },
  ],
} as unknown as Profile;

describe("units on paper", () => {
  it("are the roster with its last word, and whoever else is heard", () => {
    const lines = unitLines(
      profile,
      [
        { id: "tr:bpbd/trc-1", name: "x", atMs: 7, simulated: false },
        { id: "tr:bpbd/trc-9", name: "TRC 9", atMs: 8, simulated: false },
        { id: "sim:damkar/d-1", name: "", atMs: 9, simulated: true },
      ],
      "en",
    );
    expect(lines.map((l) => [l.id, l.atMs, l.capabilities])).toEqual([
      ["bpbd/trc-1", 7, "boat, drone"],
      ["bpbd/trc-9", 8, ""],
      ["damkar/d-1", null, ""],
    ]);
  });

  it("are none before anything is known", () => {
    expect(unitLines(null, [], "id")).toEqual([]);
  });
});
