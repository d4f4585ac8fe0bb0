import { describe, expect, it } from "vitest";
import type { Profile } from "../../api/profile";
import type { Handover, Incident } from "../../wire/wire";
import { answers, choices, mayAsk, neighbourOf, type Chair } from "./handover";

const agencies = [
  { slug: "bpbd", name: "BPBD" },
  { slug: "damkar", name: "Damkar", acts_as: ["satpolpp"] },
  { slug: "pupr", name: "PUPR" },
];
const profile = {
  agencies,
  neighbours: [
    {
      slug: "padang",
      name: "Kota Padang",
      relation: "borders",
      emergency_number: "112",
    },
  ],
} as unknown as Profile;
const incident = (more: Partial<Incident>): Incident =>
  ({
    status: "acknowledged",
    lead_agency: "bpbd",
    support: [],
    handover: null,
    ...more,
  }) as unknown as Incident;
const question = (to: string, by: string): Handover => ({
  to,
  by,
  from: "bpbd",
  note: "",
  at: null,
  due: null,
  late: false,
  joined: false,
});
const chair = (more: Partial<Chair> = {}): Chair => ({
  subject: "user:dewi",
  agency: "",
  leads: true,
  ...more,
});

describe("who may ask another to lead", () => {
  it("the house, and the agency that leads", () => {
    expect(mayAsk(incident({}), chair(), agencies)).toBe(true);
    expect(mayAsk(incident({}), chair({ agency: "bpbd" }), agencies)).toBe(
      true,
    );
    expect(mayAsk(incident({}), chair({ agency: "pupr" }), agencies)).toBe(
      false,
    );
    expect(mayAsk(incident({}), chair({ leads: false }), agencies)).toBe(false);
  });

  it("an agency speaks also for those that it stands for", () => {
    const led = incident({ lead_agency: "satpolpp" });
    expect(mayAsk(led, chair({ agency: "damkar" }), agencies)).toBe(true);
  });

  it("not while somebody is asked, nor of what is resolved", () => {
    const asked = incident({ handover: question("pupr", "user:ari") });
    expect(mayAsk(asked, chair(), agencies)).toBe(false);
    for (const status of ["resolved", "closed", "cancelled"] as const) {
      expect(mayAsk(incident({ status }), chair(), agencies)).toBe(false);
    }
  });
});

describe("who may answer", () => {
  it("whoever is asked, and the house; whoever asked only takes it back", () => {
    const h = question("pupr", "user:ari");
    const yes = { accept: true, decline: true, withdraw: false };
    const no = { accept: false, decline: false, withdraw: false };
    expect(answers(h, chair({ agency: "pupr" }), agencies)).toEqual(yes);
    expect(answers(h, chair(), agencies)).toEqual(yes);
    expect(answers(h, chair({ agency: "bpbd" }), agencies)).toEqual(no);
    expect(answers(h, chair({ leads: false }), agencies)).toEqual(no);
    expect(answers(h, chair({ subject: "user:ari" }), agencies)).toEqual({
      ...no,
      withdraw: true,
    });
  });

  it("of a neighbour whoever asked enters the yes as well", () => {
    const h = question("neighbour:padang", "user:dewi");
    expect(answers(h, chair({ agency: "bpbd" }), agencies)).toEqual({
      accept: true,
      decline: false,
      withdraw: true,
    });
  });
});

describe("who may be asked", () => {
  it("all but who leads, those who support it first, neighbours last", () => {
    const found = choices(incident({ support: ["pupr"] }), profile, "id");
    expect(found.map((c) => c.to)).toEqual([
      "pupr",
      "damkar",
      "neighbour:padang",
    ]);
    expect(found.at(-1)).toMatchObject({ phone: "112", neighbour: true });
  });

  it("an agency is not asked about what it leads under another name", () => {
    const led = incident({ lead_agency: "satpolpp" });
    expect(choices(led, profile, "id").map((c) => c.to)).not.toContain(
      "damkar",
    );
  });

  it("tells neighbours from agencies", () => {
    expect(neighbourOf("neighbour:padang")).toBe("padang");
    expect(neighbourOf("pupr")).toBe("");
  });
});
