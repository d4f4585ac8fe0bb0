import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { faultWords, unreadWords } from "./words";

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

  it("says what the server says of it, and who may not read it that they may not", () => {
    expect(unreadWords(500, { detail: "a bug" })).toBe(
      "Could not be read. a bug",
    );
    expect(unreadWords(403, {})).toBe(faultWords(403, {}));
  });
});
