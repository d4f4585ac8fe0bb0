import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import type { Map as GLMap, StyleSpecification } from "maplibre-gl";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { wholeProfile, type BasemapInfo } from "../api/profile";
import { addBasemap, BELOW, endBasemap, type Look, type Part } from "./basemap";
import { pmtilesParts, vectorParts } from "./basemap-pmtiles";
import { readStyle } from "./basemap-style";
import { ORDER } from "./order";
import { withoutHue, type Palette } from "./palette";
import { readColour } from "./tone";

const palette = new Proxy({} as Palette, {
  get: (_, key) => {
    const lake = { lake: "#0c141c", river: "#35495b", label: "#a3afbb" };
    return key in lake ? lake[key as keyof typeof lake] : "#18212b";
  },
});
const look: Look = { palette, u: 1 };

function faults(sources: object, parts: readonly Part[]): string[] {
  return validateStyleMin({
    version: 8,
    glyphs: "https://example.org/{fontstack}/{range}.pbf",
    sources,
    layers: parts.map((p) => p.layer),
  } as StyleSpecification).map((e) => e.message);
}

describe("a PMTiles file", () => {
  it("is drawn by a sound style without icons and with our font alone", async () => {
    const info: BasemapInfo = {
      kind: "pmtiles",
      url: "/basemap/tiles.pmtiles",
      tiles: "vector",
      attribution: "",
    };
    const { sources, parts } = await pmtilesParts(info, look);
    expect(faults(sources, parts)).toEqual([]);
    expect(JSON.stringify(sources)).toContain(
      `pmtiles://${location.origin}/basemap/tiles.pmtiles`,
    );
    const text = JSON.stringify(parts);
    expect(text).not.toContain("icon-");
    expect(text).toContain("Atkinson Hyperlegible Next");
    const drawn = parts.flatMap(({ layer }) =>
      "source-layer" in layer ? [layer["source-layer"]] : [],
    );
    for (const layer of ["water", "roads", "boundaries", "places"]) {
      expect(drawn).toContain(layer);
    }
  });

  it("of pictures is one quiet layer", async () => {
    const { sources, parts } = await pmtilesParts(
      { kind: "pmtiles", url: "/x", tiles: "raster", attribution: "" },
      look,
    );
    expect(faults(sources, parts)).toEqual([]);
    expect(parts).toHaveLength(1);
  });

  it("has no hue while the connection is lost", () => {
    const colours = Object.fromEntries(
      ["lake", "river", "road", "land"].map((k) => [k, "#0a3b7c"]),
    ) as Palette;
    const parts = vectorParts({
      palette: { ...palette, ...withoutHue(colours) },
      u: 1,
    });
    expect(JSON.stringify(parts)).not.toContain("#0a3b7c");
  });
});

const outside: StyleSpecification = {
  version: 8,
  metadata: { attribution: "© BIG" },
  sprite: "/basemap/sprite/0",
  glyphs: "/basemap/glyphs/{fontstack}/{range}.pbf",
  sources: {
    osm: {
      type: "vector",
      tiles: ["/basemap/source/0/{z}/{x}/{y}"],
      maxzoom: 14,
    },
    photo: { type: "raster", tiles: ["/basemap/source/1/{z}/{x}/{y}"] },
    shape: { type: "geojson", data: "/basemap/data/2" },
  },
  layers: [
    { id: "bg", type: "background", paint: { "background-color": "#f8f4f0" } },
    { id: "photo", type: "raster", source: "photo" },
    {
      id: "Water",
      type: "fill",
      source: "osm",
      "source-layer": "water",
      paint: { "fill-color": "hsl(210, 67%, 85%)" },
    },
    {
      id: "wood",
      type: "fill",
      source: "osm",
      "source-layer": "landcover",
      paint: { "fill-pattern": "wood" },
    },
    {
      id: "road",
      type: "line",
      source: "osm",
      "source-layer": "roads",
      paint: {
        "line-color": [
          "match",
          ["get", "class"],
          "motorway",
          "#ff8800",
          "rgb(200, 0, 0)",
        ],
        "line-width": 2,
      },
    },
    {
      id: "town",
      type: "symbol",
      source: "osm",
      "source-layer": "place",
      layout: {
        "text-field": ["get", "name"],
        "text-font": ["Noto Sans"],
        "icon-image": "dot",
      },
    },
    {
      id: "shop",
      type: "symbol",
      source: "osm",
      "source-layer": "poi",
      layout: { "icon-image": "shop" },
    },
  ],
};

describe("an outside style", () => {
  const { sources, parts } = readStyle(outside, "https://wall.example", look);

  it("leads to our own origin only", () => {
    const text = JSON.stringify(sources);
    expect(text).toContain("https://wall.example/basemap/source/0/{z}/{x}/{y}");
    expect(text).toContain("https://wall.example/basemap/data/2");
    expect(faults(sources, parts)).toEqual([]);
  });

  it("keeps fills, lines, pictures and names; background, patterns and icons stay away", () => {
    expect(parts.map((p) => [p.layer.id, p.place])).toEqual([
      ["basemap-photo", "ground"],
      ["basemap-Water", "ground"],
      ["basemap-road", "lines"],
      ["basemap-town", "names"],
    ]);
    const text = JSON.stringify(parts);
    expect(text).not.toContain("icon-");
    expect(text).not.toContain("Noto");
  });

  it("is drawn in our greys, also inside expressions", () => {
    const text = JSON.stringify(parts);
    for (const theirs of ["#ff8800", "rgb(200", "hsl("]) {
      expect(text).not.toContain(theirs);
    }
    expect(text).toContain("motorway");
    const colours = text.match(/rgba\([^)]*\)/g) ?? [];
    expect(colours.length).toBeGreaterThan(0);
    for (const colour of colours) {
      const { red = 0, blue = 0 } = readColour(colour) ?? {};
      expect(Math.abs(red - blue)).toBeLessThan(40);
    }
  });
});

describe("addBasemap", () => {
  const layers: string[] = [];
  const made: [string, string | undefined][] = [];
  const map = {
    getSource: () => undefined,
    addSource: vi.fn(),
    getLayer: (id: string) => (layers.includes(id) ? { id } : undefined),
    addLayer: ({ id }: { id: string }, below?: string) => {
      made.push([id, below]);
    },
    getContainer: () => document.body,
    once: vi.fn(),
  };
  const profileOf = (basemap: BasemapInfo) =>
    wholeProfile({ basemap, bbox: [0, 0, 1, 1] } as never);

  beforeEach(() => {
    layers.length = 0;
    made.length = 0;
    map.addSource.mockClear();
    vi.restoreAllMocks();
  });

  it("does nothing where there is none", async () => {
    const none = profileOf({ kind: "none", url: "", attribution: "" });
    await addBasemap(map as unknown as GLMap, none, look);
    expect(map.addSource).not.toHaveBeenCalled();
  });

  it("goes below our own layers, which are all known", async () => {
    for (const below of Object.values(BELOW)) {
      expect(ORDER).toContain(below);
      layers.push(below);
    }
    const info: BasemapInfo = {
      kind: "pmtiles",
      url: "/basemap/tiles.pmtiles",
      attribution: "",
    };
    await addBasemap(map as unknown as GLMap, profileOf(info), look);
    expect(made.length).toBeGreaterThan(8);
    expect(made.every(([, below]) => below !== undefined)).toBe(true);
    for (const below of Object.values(BELOW)) {
      expect(ORDER.indexOf(below)).toBeLessThan(
        ORDER.indexOf("thing-mark") + 3,
      );
    }
  });

  it("draws once where a style is loaded twice in a row", async () => {
    const info: BasemapInfo = { kind: "style", url: "/s", attribution: "" };
    vi.spyOn(globalThis, "fetch").mockImplementation(() =>
      Promise.resolve(Response.json(outside)),
    );
    const both = [1, 2].map(() =>
      addBasemap(map as unknown as GLMap, profileOf(info), look),
    );
    await Promise.all(both);
    expect(made).toHaveLength(4);
  });

  it("leaves our own layers alone where the server has no style to give, and tries again", async () => {
    vi.useFakeTimers();
    const info: BasemapInfo = { kind: "style", url: "/s", attribution: "" };
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const fetched = vi
      .spyOn(globalThis, "fetch")
      .mockResolvedValueOnce(new Response("", { status: 503 }))
      .mockImplementation(() => Promise.resolve(Response.json(outside)));
    const words = vi.fn();
    await addBasemap(map as unknown as GLMap, profileOf(info), look, words);
    expect(made).toEqual([]);
    await vi.advanceTimersByTimeAsync(61_000);
    expect(words).toHaveBeenCalledWith("© BIG");
    expect(fetched).toHaveBeenCalledTimes(2);
    expect(made).toHaveLength(4);
    vi.useRealTimers();
  });

  it("is tried no more once it was switched off", async () => {
    vi.useFakeTimers();
    const info: BasemapInfo = { kind: "style", url: "/s", attribution: "" };
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const fetched = vi
      .spyOn(globalThis, "fetch")
      .mockImplementation(() =>
        Promise.resolve(new Response("", { status: 503 })),
      );
    const gl = map as unknown as GLMap;
    await addBasemap(gl, profileOf(info), look);
    await vi.advanceTimersByTimeAsync(61_000);
    expect(fetched).toHaveBeenCalledTimes(2);
    endBasemap(gl);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(fetched).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });
});

describe("colours of others", () => {
  it("are read in the forms that styles use", () => {
    const at = (text: string) => {
      const c = readColour(text);
      return c && [c.red, c.green, c.blue].map(Math.round).concat(c.alpha);
    };
    expect(at("#f80")).toEqual([255, 136, 0, 1]);
    expect(at("#ff880080")).toEqual([255, 136, 0, 128 / 255]);
    expect(at("rgba(1, 2, 3, 0.5)")).toEqual([1, 2, 3, 0.5]);
    expect(at("rgb(100% 0% 0% / 50%)")).toEqual([255, 0, 0, 0.5]);
    expect(at("hsl(120, 100%, 25%)")).toEqual([0, 128, 0, 1]);
    expect(at("white")).toEqual([255, 255, 255, 1]);
    for (const no of ["motorway", "#12", "#ggg", "rgb(1)", "", "hsl(x,y,z)"]) {
      expect(readColour(no)).toBeNull();
    }
  });
});
