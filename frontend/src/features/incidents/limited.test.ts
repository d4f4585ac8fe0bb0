import { describe, expect, it } from "vitest";
import type { Incident } from "../../wire/wire";
import { evidenceLines } from "./evidence";
import { limitOf } from "./limited";
import { personWord, tellNames } from "./person";

const whole: Incident = {
  id: "a",
  number: "SLK-2026-000001",
  type: "flood",
  title: "Banjir, Selayo",
  severity: "Severe",
  status: "acknowledged",
  version: 2,
  lead_agency: "bpbd",
  support: [],
  location: null,
  cell: "",
  area_name: "Kubung",
  opened_at: "2026-11-27T00:00:00Z",
  updated_at: "2026-11-27T00:00:00Z",
  times: {} as Incident["times"],
  sla: {
    class: "A",
    ack_due: null,
    dispatch_due: null,
    decision_due: null,
    scene_due: null,
    resolve_due: null,
    paused_s: 0,
    missed: [],
  },
  victims: null,
  handover: null,
  decision: null,
  on_hold: null,
  disputed: null,
  proof: { need: 2, have: [] },
  why: { person: "user:01JABCDEFGHJKMNPQRSTVWXYZ0", inputs: [] },
  evidence: [
    {
      kind: "note",
      ref: "",
      reason: "",
      text: "air naik",
      weight: 1,
      at: null,
    },
  ],
  timeline: [
    {
      at: null,
      actor: "user:01JABCDEFGHJKMNPQRSTVWXYZ0",
      act: "opened",
      note: "",
    },
  ],
  dispatches: [],
  owner: "user:01JABCDEFGHJKMNPQRSTVWXYZ0",
  simulated: false,
  external_refs: [],
};

describe("what is left out of an incident", () => {
  it.each<[string, Partial<Incident>, string]>([
    ["nothing", {}, ""],
    ["all but the outline", { version: 0 }, "coarse"],
    ["who has it", { owner: "user" }, "facts"],
    ["who opened it", { why: { person: "user", inputs: [] } }, "facts"],
    ["who closed it", { resolved_by: "user" }, "facts"],
    [
      "who acted",
      { timeline: [{ at: null, actor: "user", act: "opened", note: "" }] },
      "facts",
    ],
    [
      "the words of a report",
      {
        evidence: [
          { kind: "report", ref: "", reason: "", weight: 1, at: null },
        ],
      },
      "facts",
    ],
    [
      "no word of a sensor",
      {
        evidence: [
          { kind: "observation", ref: "a:b", reason: "", weight: 1, at: null },
        ],
      },
      "",
    ],
  ])("%s", (_, change, want) => {
    expect(limitOf({ ...whole, ...change })).toBe(want);
  });

  it("draws no hole for evidence without words", () => {
    const evidence: Incident["evidence"] = [
      { kind: "report", ref: "", reason: "", weight: 1, at: null },
    ];
    const [line] = evidenceLines({ ...whole, evidence }, () => undefined);
    expect(line?.lead).not.toBe("");
  });
});

describe("a person's name", () => {
  it("is never an id", () => {
    expect(personWord("user:01JABCDEFGHJKMNPQRSTVWXYZ0")).not.toContain("01J");
    expect(personWord("user")).not.toBe("user");
    expect(personWord("user:dewi")).toBe("dewi");
    tellNames([{ subject: "user:01JABCDEFGHJKMNPQRSTVWXYZ0", name: "Dewi" }]);
    expect(personWord("user:01JABCDEFGHJKMNPQRSTVWXYZ0")).toBe("Dewi");
  });
});
