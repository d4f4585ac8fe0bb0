import { describe, expect, it } from "vitest";
import type { IncidentType } from "../../api/incidents";
import type { Agency, Profile } from "../../api/profile";
import { wallOf } from "../../api/walls";
import { PLAIN, UNTOLD } from "../../features/scenes/scene";
import type { Incident, Plan } from "../../wire/wire";
import { forVisitors, hiddenBy, holderWord, planForVisitors } from "./sight";

const VISITOR = { ...PLAIN, id: "visitor", redact: ["police"] };
const types = [
  { lead: "bpbd", support: ["damkar", "dinkes", "polres"] },
  { lead: "polres", support: ["dishub"] },
  { lead: "satpolpp", support: ["polres"] },
] as unknown as IncidentType[];
const agency = (slug: string, ...acts_as: string[]): Agency => ({
  slug,
  name: slug,
  acts_as,
});
const profile = {
  agencies: [
    agency("bpbd"),
    agency("damkar", "satpolpp"),
    agency("rsud", "dinkes"),
    agency("polres"),
    agency("polres-kota"),
    agency("polda"),
    agency("satlantas", "dishub", "polres"),
    agency("brimob"),
    agency("kodim"),
    agency("satpolpp"),
  ],
} as unknown as Profile;

describe("whose units visitors see", () => {
  it("are those of agencies that are known to be none of the police's, whatever the police are called", () => {
    const hidden = hiddenBy(VISITOR, profile, types);
    for (const open of ["bpbd", "damkar", "rsud"])
      expect(hidden.has(open), open).toBe(false);
    for (const shut of [
      "polres",
      "polres-kota",
      "polda",
      "satlantas",
      "brimob",
      "kodim",
      "satpolpp",
      "nobody-knows",
      "",
    ])
      expect(hidden.has(shut), shut).toBe(true);
  });

  it("are none while the profile or the types are not known", () => {
    expect(hiddenBy(VISITOR, null, types).has("bpbd")).toBe(true);
    expect(hiddenBy(VISITOR, profile, []).has("bpbd")).toBe(true);
  });

  it("are all in a scene that hides nothing", () => {
    expect(hiddenBy(PLAIN, null, []).has("polres")).toBe(false);
  });
});

const SECRET = "rahasia";
/** Every text that a person may have typed says the secret. */
const incident = {
  id: "01",
  number: "SLK-2026-000001",
  type: "flood",
  title: SECRET,
  severity: "Extreme",
  status: "on_scene",
  version: 3,
  lead_agency: "polda",
  support: ["bpbd", "polres"],
  location: { lng: 100.6, lat: -0.9 },
  cell: "c",
  area_name: "Kubung",
  opened_at: "2026-11-28T01:00:00Z",
  updated_at: null,
  times: { t_ack: null },
  sla: { class: "A" },
  why: { rule: SECRET, person: SECRET, inputs: [{ note: SECRET }] },
  evidence: [{ text: SECRET }],
  timeline: [{ text: SECRET }],
  dispatches: [SECRET],
  owner: SECRET,
  outcome: SECRET,
  cause: SECRET,
  victims: { note: SECRET },
  decision: { by: SECRET },
  on_hold: { reason: SECRET },
  disputed: { text: SECRET },
  checklist: [{ text: SECRET }],
  proof: { need: 1, have: [{ by: SECRET }] },
  override: SECRET,
  resolved_by: SECRET,
  merged: [{ by: SECRET }],
  simulated: false,
  external_refs: [{ ref: SECRET }],
  handover: { note: SECRET },
  comments: [{ text: SECRET }],
  attachments: [{ name: SECRET }],
  something_new: SECRET,
} as unknown as Incident;

describe("what visitors see", () => {
  it("of an incident is what, where and how far, in nobody's words", () => {
    const hidden = hiddenBy(VISITOR, profile, types);
    const seen = forVisitors(incident, "banjir", hidden);
    expect(JSON.stringify(seen)).not.toContain(SECRET);
    expect(seen).toMatchObject({
      title: "banjir",
      severity: "Extreme",
      status: "on_scene",
      area_name: "Kubung",
      lead_agency: "",
      support: ["bpbd"],
    });
  });

  it("of a plan is its kind, where and until when", () => {
    const plan = {
      id: "p",
      kind: "closure",
      title: SECRET,
      note: SECRET,
      by: SECRET,
      ended_by: SECRET,
      end_reason: SECRET,
      to: "2026-11-28T05:00:00Z",
    } as unknown as Plan;
    const seen = planForVisitors(plan);
    expect(JSON.stringify(seen)).not.toContain(SECRET);
    expect(seen).toMatchObject({ id: "p", kind: "closure", to: plan.to });
    expect(seen.title).not.toBe("");
  });
});

describe("who holds a wall", () => {
  const held = wallOf({ held_by: "user:Dewi, BPBD" });

  it("is named where a scene hides nothing, and never before visitors", () => {
    expect(holderWord(PLAIN, held)).toBe("Dewi, BPBD");
    for (const scene of [VISITOR, UNTOLD])
      expect(holderWord(scene, held)).not.toMatch(/Dewi|BPBD/);
  });
});
