import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { changeOf } from "../../api/changes";
import { stepOf, whyNotYours, type Place } from "./step";

beforeEach(() => {
  language.set("id");
});

const place: Place = {
  names: {
    agency: (slug) => slug,
    type: (code) => code,
    restricted: [],
    zone: "Asia/Jakarta",
    now: 0,
  },
  subject: (s) => (s === "user:1" ? "Sari" : s),
  className: (name) => (name === "reporters" ? "Identitas pelapor" : name),
};

describe("a change before and after", () => {
  it("tells roles of a person", () => {
    const step = stepOf(
      changeOf({
        kind: "roles",
        doc: {
          person: "1",
          seen: [{ role: "operator" }],
          grants: [{ role: "operator" }, { role: "liaison", agency: "bpbd" }],
          unit: "",
        },
      }),
      place,
    );
    expect(step.about).toBe("Sari");
    expect(step.before).toEqual(["operator"]);
    expect(step.after).toEqual([
      "operator",
      "petugas penghubung OPD, untuk bpbd",
    ]);
  });

  it("tells no role as a word", () => {
    const doc = { person: "1", seen: [], grants: [{ role: "admin" }] };
    expect(stepOf(changeOf({ kind: "roles", doc }), place).before).toEqual([
      "tanpa peran",
    ]);
  });

  it("reads what was and why out of a retention's summary", () => {
    const step = stepOf(
      changeOf({
        kind: "retention",
        summary: "reporters: 90 -> 30 days; keputusan bupati: 12/2026",
        doc: { class: "reporters", days: 30 },
      }),
      place,
    );
    expect(step).toMatchObject({
      about: "Identitas pelapor",
      before: ["90 hari"],
      after: ["30 hari"],
      why: "keputusan bupati: 12/2026",
    });
  });

  it("shows a kind that it does not know as the house tells it", () => {
    const step = stepOf(changeOf({ kind: "moon", summary: "up" }), place);
    expect(step.kind).toBe("moon");
    expect(step.after).toEqual(["up"]);
  });
});

describe("why one may not decide", () => {
  const change = (more: object) =>
    changeOf({ state: "waiting", about: ["user:1"], ...more });

  it("is told apart: own proposal, about oneself, else", () => {
    expect(whyNotYours(change({ decides: true }), "user:2")).toBe("");
    expect(whyNotYours(change({ yours: true }), "user:2")).toContain(
      "usulan Anda sendiri",
    );
    expect(whyNotYours(change({}), "user:1")).toContain("tentang Anda");
    expect(whyNotYours(change({}), "user:3")).not.toBe("");
    expect(whyNotYours(change({ state: "approved" }), "user:1")).toBe("");
  });
});
