import { describe, expect, it } from "vitest";
import {
  attemptOf,
  configOf,
  draftOf,
  EMPTY,
  FORMATS,
  inProgram,
  MAPPED,
  named,
  slugOf,
} from "./draft";
import { sampleOf } from "./samples";

describe("the settings of a draft", () => {
  it("leave out what is empty and what its transport does not use", () => {
    expect(
      configOf({
        ...EMPTY,
        name: " awlr ",
        transport: "push",
        url: "https://x.example",
        every: "60s",
      }),
    ).toEqual({ name: "awlr", format: "json", transport: "push" });
  });
  it("carry the map and what takes a document apart", () => {
    expect(
      configOf({
        ...EMPTY,
        name: "a",
        map: "{thing: .id}",
        each: ".data[]",
        rest: { options: { keep: 1 } },
      }),
    ).toEqual({
      name: "a",
      format: "json",
      transport: "push",
      map: "{thing: .id}",
      options: { keep: 1, each: ".data[]" },
    });
  });
  it("have no map where the format reads none", () => {
    expect(
      configOf({ ...EMPTY, format: "cap", map: "x", each: "y" }),
    ).not.toHaveProperty("map");
  });
  it("come back as they were, with what has no field", () => {
    const config = {
      name: "a",
      format: "json",
      transport: "poll",
      url: "https://x.example",
      every: "15s",
      map: ".",
      options: { each: ".d[]" },
      headers: { "X-Key": "<secret>" },
      contract: { off: true },
    };
    const draft = draftOf(config, 3);
    expect(draft.version).toBe(3);
    expect(configOf(draft)).toEqual(config);
  });
});

describe("what is sent to try it", () => {
  it("has a name even before anybody gave one", () => {
    expect(attemptOf({ ...EMPTY, body: "[]" })).toEqual({
      config: { name: "coba", format: "json", transport: "push" },
      body: "[]",
    });
  });
  it("is the YAML as written, and bytes that are no text in base64", () => {
    expect(
      attemptOf({
        ...EMPTY,
        mode: "yaml",
        yaml: "name: a",
        base64: "AAE=",
        contentType: "application/x-protobuf",
        messageTopic: "a/b",
      }),
    ).toEqual({
      yaml: "name: a",
      body_base64: "AAE=",
      content_type: "application/x-protobuf",
      topic: "a/b",
    });
  });
  it("has no bytes where the server fetches them", () => {
    expect(
      attemptOf({ ...EMPTY, origin: "fetch", transport: "poll", body: "x" }),
    ).not.toHaveProperty("body");
  });
});

describe("a fault of a map", () => {
  it.each([
    ['line 2 column 12 of the program: unexpected token "}"', 2],
    ["is missing", 0],
  ])("%s: %s", (text, line) => {
    expect(inProgram({ key: "map", text, line: 1 }).line).toBe(line);
  });
});

describe("a name", () => {
  it.each([
    ["awlr-1", true],
    ["1a", true],
    ["-a", false],
    ["Awlr", false],
    ["a b", false],
    ["a".repeat(64), false],
  ])("%s: %s", (name, good) => {
    expect(named(name)).toBe(good);
  });
  it.each(["Muka Air, Lembang!", "__a", "É"])("is made of %j", (text) => {
    const slug = slugOf(text);
    expect(slug === "" || named(slug)).toBe(true);
  });
});

describe("the samples", () => {
  const NOW = Date.parse("2026-11-27T07:00:00Z");
  it.each(FORMATS)("%s has one, in the present", (format) => {
    const sample = sampleOf(format, NOW);
    expect(sample?.body).toBeTruthy();
    expect(sample?.body).not.toMatch(/@[A-Z0-9]+@/);
    if (MAPPED.includes(format) && format !== "geojson") {
      expect(sample?.map).toBeTruthy();
    }
  });
  it("of JSON are JSON", () => {
    for (const format of [
      "json",
      "geojson",
      "native",
      "gtfsrt",
      "usgs",
      "wzdx",
      "bmkg",
      "ttn",
    ]) {
      expect(
        () => JSON.parse(sampleOf(format, NOW)?.body ?? "") as unknown,
        format,
      ).not.toThrow();
    }
  });
  it("is none of an unknown format", () => {
    expect(sampleOf("toString", NOW)).toBeNull();
  });
});
