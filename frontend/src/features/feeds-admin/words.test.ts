import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { bringWords } from "../../i18n/problem.svelte";
import { faultWords, unreadWords } from "./words";

beforeAll(bringWords);

beforeEach(() => {
  language.set("en");
});

describe("what could not be read", () => {
  it("is not said to be unrecorded", () => {
    expect(faultWords(503, {})).toMatch(/recorded/);
    for (const status of [0, 500, 503, 504])
      expect(unreadWords(status, {})).not.toMatch(/record/);
    expect(unreadWords(503, {})).toMatch(/could not be read.*busy/i);
    language.set("id");
    expect(unreadWords(503, {})).toMatch(/tidak dapat dibaca.*sibuk/i);
  });

  it("says why, never in the server's English, and who may not read it that they may not", () => {
    expect(unreadWords(500, { code: "unreadable", detail: "a bug" })).toBe(
      "Could not be read. The record is damaged and cannot be read. Tell the technicians.",
    );
    expect(unreadWords(403, {})).toBe(faultWords(403, {}));
  });
});
