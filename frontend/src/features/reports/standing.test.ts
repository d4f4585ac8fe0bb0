import { describe, expect, it } from "vitest";
import type { Report } from "../../wire/wire";
import { reportMarks } from "../../map/layers/reports";
import { channelWord, standing, whereWord } from "./standing";

const NOON = Date.parse("2026-03-01T12:00:00.000Z");
const report = (id: string, more: Partial<Report> = {}): Report => ({
  id,
  feed: "lapor",
  service_request_id: id,
  channel: "call",
  type: "",
  text: id,
  status: "open",
  state: "new",
  address: "",
  lng: null,
  lat: null,
  cell: "",
  area_name: "",
  at: "2026-03-01T11:00:00.000Z",
  updated_at: null,
  received_at: "2026-03-01T11:00:00.000Z",
  changed_at: null,
  revision: 1,
  simulated: false,
  external_refs: [],
  ...more,
});

describe("reports of a desk", () => {
  it("are the open ones of a day, the newest first", () => {
    const list = [
      report("a"),
      report("b", { received_at: "2026-03-01T11:30:00.000Z" }),
      report("closed", { status: "closed" }),
      report("old", { received_at: "2026-02-28T11:00:00.000Z" }),
      report("c"),
    ];
    expect(standing(list, NOON).map((r) => r.id)).toEqual(["b", "c", "a"]);
  });

  it("say how they came and where they are, or that nobody knows", () => {
    expect(channelWord("petabencana/twitter")).toBe("petabencana/twitter");
    expect(channelWord("call")).not.toBe("call");
    expect(whereWord(report("a", { address: "Jl. Lembang" }))).toBe(
      "Jl. Lembang",
    );
    expect(whereWord(report("a"))).not.toBe("");
    expect(whereWord(report("a", { lng: 100.6, lat: -0.8 }))).toBe("");
  });

  it("lie on the map only where they are placed", () => {
    const marks = reportMarks([report("a"), report("b", { lng: 1, lat: 2 })]);
    expect(marks.features.map((f) => f.geometry.coordinates)).toEqual([[1, 2]]);
  });
});
