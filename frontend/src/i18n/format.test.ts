import { beforeEach, describe, expect, it } from "vitest";
import * as format from "./format";
import { chooseLanguage, language } from "./lang.svelte";

const NOON = Date.parse("2026-11-22T07:02:47.000Z");
const JAKARTA = "Asia/Jakarta";

describe("in Indonesian", () => {
  beforeEach(() => {
    language.set("id");
  });

  it("writes clock times with dots", () => {
    expect(format.clockTime(NOON, JAKARTA)).toBe("14.02");
    expect(format.clockTime(NOON, JAKARTA, true)).toBe("14.02.47");
    expect(format.clockTime(Date.parse("2026-11-21T17:00:00Z"), JAKARTA)).toBe(
      "00.00",
    );
  });
  it("writes dates, zones and numbers", () => {
    expect(format.longDate(NOON, JAKARTA)).toBe("Minggu, 22 Nov 2026");
    expect(format.zoneName(NOON, JAKARTA)).toBe("WIB");
    expect(format.number(1234.5)).toBe("1.234,5");
    expect(format.fixed(5, 1)).toBe("5,0");
    expect(format.degrees(-0.8, "lat")).toBe("0,8° LS");
  });
  it.each([
    [-5, "0 dtk"],
    [53_900, "53 dtk"],
    [60_000, "1 mnt"],
    [3_599_000, "59 mnt"],
    [3_600_000, "1 jam"],
    [47 * 3_600_000, "47 jam"],
    [49 * 3_600_000, "2 hari"],
  ])("age %d is %s", (ms, want) => {
    expect(format.age(ms)).toBe(want);
  });
  it("writes a running age in two steps", () => {
    expect(format.longAge(137_000)).toBe("2 mnt 17 dtk");
    expect(format.longAge(3_600_000 + 25 * 60_000)).toBe("1 jam 25 mnt");
    expect(format.longAge(9_000)).toBe("9 dtk");
  });
  it("leads with the date where it is another day", () => {
    expect(format.stamp(NOON, NOON, JAKARTA)).toBe("14.02");
    expect(format.stamp(NOON - 86_400_000, NOON, JAKARTA)).toBe("21 Nov 14.02");
  });
});

describe("in English", () => {
  beforeEach(() => {
    language.set("en");
  });

  it("writes clock times with colons and numbers with points", () => {
    expect(format.clockTime(NOON, JAKARTA, true)).toBe("14:02:47");
    expect(format.number(1234.5)).toBe("1,234.5");
    expect(format.longDate(NOON, JAKARTA)).toBe("Sunday, 22 Nov 2026");
    expect(format.age(120_000)).toBe("2 min");
  });
});

describe("units", () => {
  it.each([
    ["m3/s", "m³/s"],
    ["cm/s2", "cm/s²"],
    ["ug/m3", "µg/m³"],
    ["[g]", "g"],
    ["{vehicles}/h", "/h"],
    ["Cel", "°C"],
    ["%", "%"],
    ["1", ""],
    ["", ""],
  ])("writes %s as %s", (ucum, sign) => {
    expect(format.unitSign(ucum)).toBe(sign);
  });
});

describe("instants", () => {
  it("are null where they are not there or not readable", () => {
    expect(format.instant(null)).toBeNull();
    expect(format.instant("yesterday")).toBeNull();
    expect(format.instant("2026-11-22T07:02:47.000Z")).toBe(NOON);
  });
});

describe("the language at start", () => {
  it("is the address's, then the last choice, then Indonesian", () => {
    localStorage.clear();
    chooseLanguage("");
    expect(language.current).toBe("id");
    chooseLanguage("?lang=en");
    expect(language.current).toBe("en");
    chooseLanguage("");
    expect(language.current).toBe("en");
    chooseLanguage("?lang=xx");
    expect(document.documentElement.lang).toBe("en");
  });
});
