import { describe, expect, it } from "vitest";
import { ownScript, reduceHTML } from "./trusted-types";
import { nextPath } from "../api/session";
import { alternatives, readCredential } from "../views/login/credential";

describe("the default policy", () => {
  it("reduces markup to text and https links", () => {
    expect(reduceHTML('<img src=x onerror="alert(1)">')).not.toContain("<");
    expect(reduceHTML('a <a href="https://x.id/y" onclick="z()">X</a> b')).toBe(
      'a <a href="https://x.id/y" rel="noreferrer">X</a> b',
    );
    expect(reduceHTML('<a href="javascript:alert(1)">X</a>')).not.toContain(
      "<a",
    );
  });
  it("lets only our own scripts pass", () => {
    expect(ownScript("/a.js", "https://k.id/wall")).toBe("https://k.id/a.js");
    expect(() => ownScript("https://evil.id/a.js", "https://k.id/")).toThrow();
    expect(() =>
      ownScript("blob:https://k.id/x", "https://other.id/"),
    ).toThrow();
  });
});

describe("signing in", () => {
  it.each([
    ["?next=/wall?kiosk=1", "/wall?kiosk=1"],
    ["?next=//evil.id/x", "/wall"],
    ["?next=https://evil.id", "/wall"],
    ["?next=/\\evil.id", "/wall"],
    ["", "/wall"],
  ])("goes from %s to %s", (search, want) => {
    expect(nextPath(search, "https://k.id")).toBe(want);
  });
  it("reads a link, a code and a token", () => {
    expect(readCredential(" http://h/login?code=abc%2B&next=/wall ")).toEqual({
      code: "abc+",
    });
    expect(readCredential("  ")).toBeNull();
    const code = readCredential("short");
    expect(code && alternatives(code)).toEqual([{ code: "short" }]);
    const token = readCredential("t".repeat(40));
    expect(token && alternatives(token).length).toBe(2);
  });
});
