import { describe, expect, it } from "vitest";
import type { Incident, Suggestion } from "../../wire/wire";
import { Deciding } from "./deciding.svelte";
import {
  mates,
  mergedInto,
  ofIncident,
  ofReport,
  pieces,
  surest,
} from "./pick";

const NOW = Date.UTC(2026, 10, 22, 7);
const iso = (ms: number) => new Date(ms).toISOString();

const suggestion = (id: string, more: Partial<Suggestion> = {}) =>
  ({
    id,
    kind: "join",
    weight: 0.5,
    severity: "Severe",
    at: iso(NOW),
    evidence: [],
    ...more,
  }) as unknown as Suggestion;

const incident = (id: string, more: object = {}) =>
  ({
    id,
    type: "flood",
    status: "new",
    simulated: false,
    evidence: [],
    updated_at: iso(NOW),
    ...more,
  }) as unknown as Incident;

describe("suggestions", () => {
  it("stand with the surest first", () => {
    const list = [
      suggestion("a", { weight: 0.4 }),
      suggestion("b", { weight: 0.9 }),
      suggestion("c", { weight: 0.9, severity: "Extreme" }),
    ];
    expect(surest(list).map((s) => s.id)).toEqual(["c", "b", "a"]);
  });

  it("are found from either incident, and from a report that is evidence", () => {
    const merge = suggestion("m", { kind: "merge", incident: "1", other: "2" });
    const join = suggestion("j", {
      incident: "1",
      evidence: [{ kind: "report", ref: "r", text: "", at: null }],
    });
    expect(ofIncident([merge, join], "2")).toEqual([merge]);
    expect(ofIncident([merge, join], "1")).toHaveLength(2);
    expect(ofReport([merge, join], "r")).toEqual([join]);
    expect(ofReport([merge, join], "1")).toEqual([]);
  });
});

describe("merge and split", () => {
  it("offers open incidents of the same plane: its own type, then the nearest", () => {
    const all = [
      incident("self"),
      incident("far", { type: "fire", km: 9 }),
      incident("near", { type: "fire", km: 1 }),
      incident("same", { km: 20 }),
      incident("over", { status: "closed" }),
      incident("drill", { simulated: true }),
    ];
    const km = (_: Incident, b: Incident) =>
      (b as unknown as { km?: number }).km ?? null;
    const self = all[0] as Incident;
    expect(mates(self, all, km).map((i) => i.id)).toEqual([
      "same",
      "near",
      "far",
    ]);
  });

  it("splits off each piece once, the newest first", () => {
    const e = (ref: string, at: number) => ({
      kind: "report",
      ref,
      at: iso(at),
    });
    const one = incident("1", {
      evidence: [e("a", NOW), e("b", NOW + 5), e("a", NOW + 9), e("", NOW)],
    });
    expect(pieces(one).map((p) => p.ref)).toEqual(["a", "b"]);
    expect(pieces(incident("2", { evidence: null }))).toEqual([]);
  });

  it("may be undone within 24 hours", () => {
    const of = incident("1", { merged_into: "2", merged_at: iso(NOW) });
    expect(mergedInto(of, NOW + 1)).toEqual({ id: "2", undoable: true });
    expect(mergedInto(of, NOW + 86_400_000)?.undoable).toBe(false);
    expect(mergedInto(incident("1"), NOW)).toBeNull();
  });
});

describe("the suggestion that a key decides", () => {
  it("stays what was looked at though a surer one comes, until it is gone", () => {
    const deciding = new Deciding();
    const first = suggestion("first", { weight: 0.6 });
    deciding.selected = deciding.aim([first])?.id ?? null;
    const surer = suggestion("surer", { weight: 0.9 });
    expect(deciding.aim(surest([first, surer]))?.id).toBe("first");
    expect(deciding.aim([surer])?.id).toBe("surer");
    expect(deciding.aim([])).toBeUndefined();
  });
});
