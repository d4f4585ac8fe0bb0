import { describe, expect, it } from "vitest";
import type { Hint } from "../../api/intake";
import { judgement, judgementOf, lacking, target, told } from "./taking";

const press = (key: string, more = {}) => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  shiftKey: false,
  repeat: false,
  ...more,
});
const hint = (id: string, kind: Hint["kind"] = "incident") =>
  ({ id, kind }) as Hint;

describe("the keys of intake", () => {
  it("mean one judgement each", () => {
    expect(judgementOf(press("F9"))).toBe("prank");
    expect(judgementOf(press("F2"))).toBe("incident");
    expect(judgementOf(press("n"))).toBeNull();
  });
  it("are not held down, nor are they the browser's", () => {
    expect(judgementOf(press("F9", { repeat: true }))).toBeNull();
    expect(judgementOf(press("F4", { altKey: true }))).toBeNull();
  });
});

describe("a duplicate", () => {
  const hints = [hint("r", "report"), hint("a"), hint("b")];
  it("joins the first incident, or the one that was chosen", () => {
    expect(target(hints, null)?.id).toBe("a");
    expect(target(hints, "b")?.id).toBe("b");
    expect(target(hints, "gone")?.id).toBe("a");
    expect(target([hint("r", "report")], null)).toBeUndefined();
  });
  it("names it, and lacks it where nothing is near by", () => {
    expect(judgement("duplicate", "flood", hint("a"))).toEqual({
      as: "duplicate",
      incident: "a",
    });
    expect(lacking("duplicate", "flood", undefined)).toBe("incident");
    expect(lacking("incident", "", undefined)).toBe("type");
    expect(lacking("prank", "", undefined)).toBeNull();
  });
});

describe("what is sent", () => {
  const fields = { number: " ", text: "", type: "", place: "", point: null };
  it("has words even where nobody said any", () => {
    expect(told(fields, "call", "Iseng")).toEqual({
      channel: "call",
      text: "Iseng",
    });
  });
  it("holds what is known", () => {
    expect(
      told(
        {
          number: "0812",
          text: "air naik",
          type: "flood",
          place: "dekat masjid",
          point: { lng: 100.6, lat: -0.8 },
        },
        "radio",
        "",
      ),
    ).toEqual({
      channel: "radio",
      text: "air naik",
      type: "flood",
      lng: 100.6,
      lat: -0.8,
      address: "dekat masjid",
      reporter: { phone: "0812" },
    });
  });
});
