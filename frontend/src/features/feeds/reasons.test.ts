import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { duration, line, reasonOf, rejectWords } from "./reasons";

beforeEach(() => {
  language.set("en");
});

describe("a reason", () => {
  it("is nothing where there is none", () => {
    expect(line(reasonOf(""))).toBe("");
  });
  it("is told by its code, with what the server adds and the words do not say", () => {
    expect(reasonOf("dns: no such host data.example")).toEqual({
      code: "dns",
      words: "The host name has no address",
      more: "data.example",
    });
  });
  it("follows the language", () => {
    language.set("id");
    expect(reasonOf("refused: nobody listens at this address").words).toBe(
      "Tidak ada yang mendengar di alamat itu",
    );
  });
  it("says nothing twice", () => {
    expect(reasonOf("waiting: nothing received yet").more).toBe("");
  });
  it("carries the fault that came before", () => {
    const reason =
      "unstable: it answers again, but failed a moment ago (http: 500 Internal Server Error)";
    expect(reasonOf(reason).more).toBe(
      "The source answered with an error: 500 Internal Server Error",
    );
    expect(
      reasonOf("unstable: it answers again, but failed a moment ago").more,
    ).toBe("");
  });
  it("tells silence in the reader's units", () => {
    expect(
      line(reasonOf("silence: nothing for 3m12s, expected every 1m0s")),
    ).toBe("Silent for too long: 3 min, usually every 1 min");
  });
  it("says the house's own judgement in Indonesian where the reader does", () => {
    const both = () => reasonOf("drift: m became km", "m menjadi km").more;
    expect(both()).toBe("m became km");
    language.set("id");
    expect(both()).toBe("m menjadi km");
    expect(reasonOf("drift: 2 of 5 items refused").more).toBe(
      "2 of 5 items refused",
    );
    language.set("en");
  });
  it.each([
    "vendor_x: something new",
    "no code at all",
    "constructor: not a code",
    "toString: neither",
  ])("shows an unknown code as it came: %s", (reason) => {
    expect(reasonOf(reason)).toEqual({ code: "", words: reason, more: "" });
  });
});

describe("a duration of the server", () => {
  it.each([
    ["3m12s", 192_000],
    ["1h0m0.5s", 3_600_500],
    ["250ms", 250],
    ["soon", null],
    ["", null],
  ])("%s is %s ms", (text, ms) => {
    expect(duration(text)).toBe(ms);
  });
});

describe("why items were refused", () => {
  it("is what the format says, but for what is beyond the most frequent", () => {
    expect(rejectWords("value … is no number")).toBe("value … is no number");
    expect(rejectWords("other")).toBe("other reasons");
  });
});
