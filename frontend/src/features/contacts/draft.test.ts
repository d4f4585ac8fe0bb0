import { describe, expect, it } from "vitest";
import type { Entry, Hours } from "../../api/contacts";
import {
  blank,
  dialled,
  draftOf,
  faultyFields,
  found,
  onDutyAt,
  WHOEVER,
  words,
} from "./draft";

const hours = (part: Partial<Hours> = {}): Hours => ({
  days: [],
  from: "08:00",
  to: "16:00",
  ...part,
});
const entry = (part: Partial<Entry>): Entry => ({
  ...blank(),
  id: "c",
  version: 1,
  by: "user:dewi",
  updated_at: null,
  ...part,
});

describe("who is on duty", () => {
  // 28 November 2026 is a Saturday.
  it("is whoever names no hours, at any hour", () => {
    expect(onDutyAt([], "2026-11-28T03:00")).toBe(true);
  });
  it("begins with the minute and ends before it", () => {
    expect(onDutyAt([hours()], "2026-11-28T07:59")).toBe(false);
    expect(onDutyAt([hours()], "2026-11-28T08:00")).toBe(true);
    expect(onDutyAt([hours()], "2026-11-28T16:00")).toBe(false);
    expect(onDutyAt([hours({ to: "24:00" })], "2026-11-28T23:59")).toBe(true);
  });
  it("past midnight belongs to the day on which it begins", () => {
    const night = hours({ days: ["fri"], from: "22:00", to: "06:00" });
    expect(onDutyAt([night], "2026-11-27T23:00")).toBe(true);
    expect(onDutyAt([night], "2026-11-28T05:59")).toBe(true);
    expect(onDutyAt([night], "2026-11-28T23:00")).toBe(false);
    expect(onDutyAt([night], "2026-11-27T05:00")).toBe(false);
    const sunday = hours({ days: ["sun"], from: "20:00", to: "08:00" });
    expect(onDutyAt([sunday], "2026-11-30T07:00")).toBe(true);
  });
  it("round the clock where a stretch ends when it begins", () => {
    const all = hours({ days: ["sat"], from: "07:00", to: "07:00" });
    expect(onDutyAt([all], "2026-11-29T06:59")).toBe(true);
    expect(onDutyAt([all], "2026-11-29T07:00")).toBe(false);
  });
});

describe("the telephone book", () => {
  const book = [
    entry({ id: "rsud", name: "RSUD Arosuka", areas: ["Gunung Talang"] }),
    entry({
      id: "alat",
      kind: "equipment",
      name: "Alat berat PUPR",
      agency: "pupr",
      provides: ["excavator"],
      hours: [hours()],
    }),
  ];
  const ids = (part: object) =>
    found(book, { ...WHOEVER, ...part }).map((c) => c.id);
  it("is found by word, kind, agency, area and hour", () => {
    expect(ids({})).toEqual(["rsud", "alat"]);
    expect(ids({ text: "EXCAV pupr" })).toEqual(["alat"]);
    expect(ids({ kind: "facility" })).toEqual(["rsud"]);
    expect(ids({ agency: "pupr" })).toEqual(["alat"]);
    expect(ids({ area: "Gunung Talang" })).toEqual(["rsud", "alat"]);
    expect(ids({ area: "Kubung" })).toEqual(["alat"]);
    expect(ids({ wall: "2026-11-28T20:00" })).toEqual(["rsud"]);
  });
  it("is written in a copy", () => {
    const one = entry({ areas: ["Kubung"], hours: [hours({ days: ["mon"] })] });
    const draft = draftOf(one);
    draft.areas.push("Bukit Sundi");
    draft.hours[0]?.days.push("tue");
    expect(one.areas).toEqual(["Kubung"]);
    expect(one.hours[0]?.days).toEqual(["mon"]);
  });
  it("has words between commas, each once", () => {
    expect(words(" bed, ruang operasi,, bed ")).toEqual([
      "bed",
      "ruang operasi",
    ]);
  });
  it("knows a number that can be dialled", () => {
    for (const good of ["112", "+62 812-3456-7890", "(0755) 31114"])
      expect(dialled(good), good).toBe(true);
    for (const bad of ["", "11", "telepon", "0812•••7890", "1".repeat(16)])
      expect(dialled(bad), bad).toBe(false);
  });
  it("names the fields that the house found wrong", () => {
    expect(
      faultyFields({
        errors: [
          { location: "body.phone", message: "x" },
          { location: "body.hours[1]", message: "y" },
          {},
        ],
      }),
    ).toEqual(["phone", "hours[1]"]);
  });
});
