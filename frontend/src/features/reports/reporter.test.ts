import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { nthCall, reporterFault } from "./reporter";

beforeEach(() => {
  language.set("id");
});

const masked = {
  name: "",
  phone: "",
  email: "",
  address: false,
  note: false,
  ref: "",
  callToday: 0,
  callsToday: 0,
  goneAt: null,
  gone: "",
  shown: [],
};

describe("who gave a report", () => {
  it("is counted where they have called more than once that day", () => {
    expect(nthCall({ ...masked, callToday: 1, callsToday: 1 })).toBe("");
    expect(nthCall({ ...masked, callToday: 2, callsToday: 3 })).toBe(
      "Panggilan ke-2 dari 3 orang ini pada hari itu",
    );
    expect(nthCall({ ...masked, callsToday: 3 })).toContain("3 panggilan");
  });

  it("is not shown, and it says why", () => {
    expect(reporterFault(422, {})).toContain("sepuluh huruf");
    expect(reporterFault(410, {})).toContain("dihapus");
    expect(reporterFault(403, {})).toContain("tidak berwenang");
    expect(reporterFault(403, { code: "elevate" })).toContain("banyak");
    expect(reporterFault(0, {})).toContain("tidak menjawab");
  });
});
