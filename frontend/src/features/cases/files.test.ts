import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n/lang.svelte";
import { bringWords } from "../../i18n/problem.svelte";
import { draftOf, keepDraft, Once } from "./drafts";
import { kindOf, MOST_BYTES, refusal, sizeWord } from "./files";

beforeAll(bringWords);
beforeEach(() => {
  language.set("en");
});

describe("files", () => {
  it("go out as what they are called; the house looks inside", () => {
    const kind = (type: string, name = "x") => kindOf({ type, name });
    expect(kind("image/jpeg")).toBe("photo");
    expect(kind("image/png")).toBe("photo");
    expect(kind("audio/ogg")).toBe("audio");
    expect(kind("", "call.AMR")).toBe("audio");
    expect(kind("application/pdf")).toBe("file");
    expect(kind("image/heic")).toBeNull();
    expect(kind("application/zip", "a.zip")).toBeNull();
  });

  it("tell their size", () => {
    expect(sizeWord(MOST_BYTES)).toMatch(/^20([.,]0)? MB$/);
    expect(sizeWord(310 * 1024)).toBe("310 KB");
    expect(sizeWord(3)).toBe("1 KB");
  });

  it("are refused in words", () => {
    expect(refusal(413, {})).toContain("20");
    expect(refusal(415, { code: "file-kind" })).toContain("PDF");
    expect(refusal(422, { code: "file-points" })).toMatch(/too many points/);
    expect(refusal(422, { detail: "cut short" })).not.toContain("cut short");
    expect(refusal(0, {})).not.toBe(refusal(507, {}));
  });
});

describe("one thing that is sent until it arrives", () => {
  it("has one key, and another once it has arrived", () => {
    const once = new Once<string>();
    const first = once.keyOf("water rises");
    expect(once.keyOf("water rises")).toBe(first);
    expect(once.keyOf("water falls")).not.toBe(first);
    const second = once.keyOf("water rises");
    once.done();
    expect(once.keyOf("water rises")).not.toBe(second);
  });
});

describe("drafts", () => {
  it("are each person's own, for each incident", () => {
    keepDraft("user:dewi", "a", "half a");
    expect(draftOf("user:dewi", "a")).toBe("half a");
    expect(draftOf("user:ari", "a")).toBe("");
    expect(draftOf("user:dewi", "b")).toBe("");
    keepDraft("user:dewi", "a", "");
    expect(draftOf("user:dewi", "a")).toBe("");
  });
});
