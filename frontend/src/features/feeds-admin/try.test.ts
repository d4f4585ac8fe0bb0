import { beforeEach, describe, expect, it } from "vitest";
import { EMPTY } from "./draft";
import type { Sample } from "./samples";
import { Trying } from "./try.svelte";

const sample: Sample = { body: "a;b", map: ".sample", kind: "rain_gauge" };

describe("a sample", () => {
  beforeEach(() => {
    sessionStorage.clear();
  });

  it("fills the form", () => {
    const trying = new Trying();
    trying.load(sample, trying.draft);
    expect(trying.draft).toMatchObject(sample);
  });

  it("leaves what was written while it came", () => {
    const trying = new Trying();
    const asked = trying.draft;
    trying.change({ map: ".mine" });
    trying.load(sample, asked);
    expect(trying.draft).toMatchObject({ ...sample, map: ".mine" });
    expect(EMPTY.map).toBe("");
  });
});
