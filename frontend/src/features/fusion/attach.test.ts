import { describe, expect, it } from "vitest";
import type { Alert, Incident, Report, Statement } from "../../wire/wire";
import { attachable } from "./attach";

const NOW = Date.parse("2026-11-22T07:00:00Z");
const incident = {
  location: { lng: 100.6, lat: -0.8 },
  simulated: false,
  evidence: [{ kind: "report", ref: "there" }],
} as unknown as Incident;
const report = (id: string, lat: number, more: Partial<Report> = {}) =>
  ({
    id,
    text: `air naik ${id}`,
    lng: 100.6,
    lat,
    received_at: "2026-11-22T06:59:00Z",
    simulated: false,
    ...more,
  }) as Report;
const refs = (reports: Report[], wanted = "") =>
  attachable(
    incident,
    {
      reports,
      alerts: [
        {
          id: "over",
          headline: "air naik",
          state: "ended",
          expires: null,
          sent: null,
          area: { geometry: null },
          simulated: false,
        } as unknown as Alert,
      ],
      statements: [
        {
          id: "said",
          name: "Gunung Talang",
          subject: "gunung-talang",
          source: "PVMBG",
          stated_at: "2026-11-20T00:00:00Z",
          location: null,
          simulated: false,
        } as unknown as Statement,
      ],
      things: [],
    },
    wanted,
    NOW,
  ).map((p) => p.ref);

describe("what may be attached", () => {
  it("is the nearest first, and what has no place last", () => {
    expect(
      refs([report("far", -0.9), report("near", -0.81), report("there", -0.8)]),
    ).toEqual(["near", "far", "said"]);
  });
  it("is neither over nor of an exercise", () => {
    expect(refs([report("drill", -0.8, { simulated: true })])).toEqual([
      "said",
    ]);
  });
  it("holds the words that are asked for", () => {
    expect(refs([report("a", -0.8), report("b", -0.8)], "naik B")).toEqual([
      "b",
    ]);
  });
});
