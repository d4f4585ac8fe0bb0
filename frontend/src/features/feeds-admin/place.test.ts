import { describe, expect, it } from "vitest";
import { NOWHERE, readPlace, writePlace } from "./place";

describe("the page in an address", () => {
  it("is the list of feeds where nothing is said", () => {
    expect(readPlace("")).toEqual(NOWHERE);
    expect(writePlace(NOWHERE, "")).toBe("");
  });
  it.each([
    "?feed=awlr&tab=quarantine",
    "?page=try&feed=awlr",
    "?page=keys",
    "?q=bmkg&state=held&sort=lag",
  ])("%s comes back", (search) => {
    expect(writePlace(readPlace(search), "")).toBe(search);
  });
  it("keeps what is not its own, and leaves out what it does not know", () => {
    expect(
      writePlace(readPlace("?lang=en&tab=nonsense&state=x&sort=y"), "?lang=en"),
    ).toBe("?lang=en");
  });
});
