// The offline base map as a MapLibre style: no glyph server, no sprite, no tile, nothing from another host.
import type { FeatureCollection } from "geojson";
import type {
  ExpressionSpecification,
  LayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import { ORDER, SOURCES, type LayerName, type SourceName } from "./order";
import type { Palette } from "./palette";

export const FONT = "Atkinson Hyperlegible Next";
export const FONT_STRONG = "Atkinson Hyperlegible Next Bold";

/** The layers that say of the ground whether it is watched, and how strong each is drawn. */
export const HATCHING = {
  unobserved: 0.6,
  "observed-dots": 1,
  "silent-hatch": 1,
} as const satisfies Partial<Record<LayerName, number>>;

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Layers without what they are called and where they read: that is said once, below. */
type Draw = Omit<LayerSpecification, "id" | "source"> & {
  filter?: ExpressionSpecification;
};

/** Metres on the ground as pixels, at the equator's breadth of a mercator pixel. */
function metres(width: number): ExpressionSpecification {
  const atZoom0 = width / 78_271.5;
  return [
    "interpolate",
    ["exponential", 2],
    ["zoom"],
    0,
    atZoom0,
    24,
    atZoom0 * 2 ** 24,
  ];
}

const kind = (name: string): ExpressionSpecification => [
  "==",
  ["get", "kind"],
  name,
];

function ground(
  p: Palette,
  u: number,
): Partial<Record<LayerName, [SourceName | null, Draw]>> {
  const line = (width: number, colour: string, more = {}): Draw => ({
    type: "line",
    layout: { "line-join": "round", "line-cap": "round" },
    paint: { "line-color": colour, "line-width": width * u, ...more },
  });
  const fill = (colour: string): Draw => ({
    type: "fill",
    paint: { "fill-color": colour, "fill-antialias": false },
  });
  // The shore's glow and the land's inner rim: three lines, each wider and fainter than the one above it.
  const waterline = (width: number, opacity: number) =>
    line(width * 2, p.waterline, { "line-opacity": opacity });
  const vignette = (width: number, opacity: number) =>
    line(width, p.vignette, {
      "line-offset": (-width / 2) * u,
      "line-opacity": opacity,
      "line-blur": width * 0.35 * u,
    });
  return {
    sea: [null, { type: "background", paint: { "background-color": p.sea } }],
    "waterline-1": ["coast-lines", waterline(26, 0.28)],
    "waterline-2": ["coast-lines", waterline(17, 0.4)],
    "waterline-3": ["coast-lines", waterline(9, 0.6)],
    "neighbour-land": ["coast-land", fill(p.neighbour)],
    coast: ["coast-lines", line(1.2, p.lakeLine)],
    graticule: ["graticule", line(0.7, p.graticule)],
    casing: ["rings", line(1, p.casing, { "line-width": metres(2200) })],
    "district-land": ["areas", { ...fill(p.land), filter: kind("district") }],
    unobserved: [
      "areas",
      {
        type: "fill",
        paint: {
          "fill-pattern": "hatch-fine",
          "fill-opacity": HATCHING.unobserved,
        },
        filter: kind("district"),
      },
    ],
    "vignette-1": ["rings", vignette(22, 0.25)],
    "vignette-2": ["rings", vignette(12, 0.4)],
    "vignette-3": ["rings", vignette(5, 0.6)],
    "district-edge": [
      "areas",
      { ...line(1.3, p.edge), filter: kind("district") },
    ],
    enclave: ["areas", { ...fill(p.enclave), filter: kind("neighbour") }],
    "enclave-edge": [
      "areas",
      { ...line(1.3, p.outline), filter: kind("neighbour") },
    ],
    lake: ["areas", { ...fill(p.lake), filter: kind("lake") }],
    "lake-waterline": [
      "areas",
      {
        ...line(5, p.lakeWaterline, {
          "line-offset": 0,
          "line-opacity": 0.5,
        }),
        filter: kind("lake"),
      },
    ],
    "lake-edge": ["areas", { ...line(1.2, p.lakeLine), filter: kind("lake") }],
    outline: ["rings", line(1.8, p.outline)],
  };
}

function watch(
  p: Palette,
  u: number,
): Partial<Record<LayerName, [SourceName | null, Draw]>> {
  const state = (name: string): ExpressionSpecification => [
    "==",
    ["get", "state"],
    name,
  ];
  const fill = (paint: object, name: string): Draw => ({
    type: "fill",
    paint: { "fill-antialias": false, ...paint },
    filter: state(name),
  });
  return {
    "observed-land": ["watch", fill({ "fill-color": p.land }, "fresh")],
    "observed-dots": ["watch", fill({ "fill-pattern": "dots" }, "fresh")],
    "silent-land": ["watch", fill({ "fill-color": p.land }, "stale")],
    "silent-hatch": ["watch", fill({ "fill-pattern": "hatch-bold" }, "stale")],
    "alert-outline": [
      "alert-areas",
      {
        type: "line",
        layout: { "line-join": "round" },
        paint: {
          "line-color": ["get", "colour"],
          "line-width": 2.5 * u,
          "line-dasharray": [3, 2],
        },
      },
    ],
  };
}

function words(
  p: Palette,
  u: number,
): Partial<Record<LayerName, [SourceName | null, Draw]>> {
  const text = (
    size: number,
    colour: string,
    role: string,
    layout: object = {},
  ): Draw => ({
    type: "symbol",
    filter: ["==", ["get", "role"], role],
    layout: {
      "text-field": ["get", "name"],
      "text-font": [
        "case",
        ["has", "size"],
        ["literal", [FONT_STRONG]],
        ["literal", [FONT]],
      ],
      "text-size": ["*", u, ["coalesce", ["get", "size"], size]],
      "text-max-width": 7,
      "text-variable-anchor": ["center", "top", "bottom", "left", "right"],
      "text-radial-offset": 0.9,
      "text-line-height": 1.05,
      "text-padding": 4 * u,
      ...layout,
    },
    paint: {
      "text-color": ["case", ["has", "size"], p.mark, colour],
      "text-halo-color": p.land,
      "text-halo-width": 3 * u,
    },
  });
  return {
    "district-label": ["labels", text(18, p.label, "district")],
    "water-label": ["labels", text(17, p.label, "lake")],
    "neighbour-label": [
      "labels",
      text(17, p.quietLabel, "neighbour", {
        "text-transform": "uppercase",
        "text-letter-spacing": 0.12,
      }),
    ],
  };
}

function marks(
  p: Palette,
  u: number,
): Partial<Record<LayerName, [SourceName | null, Draw]>> {
  const trail = (recent: boolean, paint: object): Draw => ({
    type: "line",
    filter: ["==", ["get", "recent"], recent],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": p.mark, ...paint },
  });
  return {
    // Where units went: no hue, and what is minutes old is fainter.
    "trail-before": [
      "trails",
      trail(false, { "line-width": 1.6 * u, "line-opacity": 0.4 }),
    ],
    trail: [
      "trails",
      trail(true, { "line-width": 2.6 * u, "line-opacity": 0.85 }),
    ],
    // Quiet: what somebody said is not yet anything that the house has judged.
    report: [
      "reports",
      {
        type: "circle",
        paint: {
          "circle-radius": 6 * u,
          "circle-color": p.plate,
          "circle-opacity": 0.9,
          "circle-stroke-color": p.markLow,
          "circle-stroke-width": 2.5 * u,
        },
      },
    ],
    "quake-ring": [
      "quakes",
      {
        type: "circle",
        paint: {
          "circle-radius": ["*", u, ["get", "radius"]],
          "circle-color": "transparent",
          "circle-stroke-color": ["get", "colour"],
          "circle-stroke-width": 2.5 * u,
        },
      },
    ],
    "quake-core": [
      "quakes",
      {
        type: "circle",
        paint: {
          "circle-radius": 5 * u,
          "circle-color": ["get", "colour"],
          "circle-stroke-color": p.plate,
          "circle-stroke-width": 2 * u,
        },
      },
    ],
    "quake-label": [
      "quakes",
      {
        type: "symbol",
        layout: {
          "text-field": ["get", "label"],
          "text-font": [FONT_STRONG],
          "text-size": 24 * u,
          "text-anchor": "left",
          "text-justify": "left",
          "text-offset": ["get", "offset"],
          "text-padding": 6 * u,
          "symbol-sort-key": ["get", "rank"],
        },
        paint: {
          "text-color": p.mark,
          "text-halo-color": p.halo,
          "text-halo-width": 2.4 * u,
        },
      },
    ],
    "place-chosen": [
      "chosen",
      {
        type: "circle",
        paint: {
          "circle-radius": 22 * u,
          "circle-color": "transparent",
          "circle-stroke-color": p.mark,
          "circle-stroke-width": 3 * u,
        },
      },
    ],
    // Not drawn: it keeps words away from the marks of Things, which the layer of our own draws.
    "thing-room": [
      "things",
      {
        type: "symbol",
        layout: {
          "icon-image": "blank",
          "icon-size": ["*", u / 10, ["get", "space"]],
          "icon-allow-overlap": true,
        },
      },
    ],
    // Not drawn: it keeps the map's own words away from the incident marks, which stand above the canvas.
    "mark-space": [
      "marks",
      {
        type: "symbol",
        layout: {
          "icon-image": "blank",
          "icon-size": ["*", u / 10, ["get", "space"]],
          "icon-allow-overlap": true,
          "text-field": ["get", "number"],
          "text-font": [FONT_STRONG],
          "text-size": 30 * u,
          "text-anchor": "left",
          "text-offset": ["get", "offset"],
          "text-allow-overlap": true,
        },
        paint: { "text-opacity": 0 },
      },
    ],
    "thing-label": [
      "things",
      {
        type: "symbol",
        filter: ["!=", ["get", "label"], ""],
        layout: {
          "text-field": ["get", "label"],
          "text-font": [FONT],
          "text-size": 20 * u,
          "text-variable-anchor": ["left", "right", "bottom", "top"],
          "text-radial-offset": 0.95,
          "text-justify": "auto",
          "text-max-width": 11,
          "text-line-height": 1.05,
          "text-padding": 4 * u,
          "symbol-sort-key": ["get", "rank"],
        },
        paint: {
          "text-color": p.mark,
          "text-halo-color": p.halo,
          "text-halo-width": 2.4 * u,
        },
      },
    ],
  };
}

/** Words in cells; the cells themselves are drawn by a layer of our own. */
function cells(
  p: Palette,
  u: number,
): Partial<Record<LayerName, [SourceName | null, Draw]>> {
  return {
    "cell-label": [
      "cell-words",
      {
        type: "symbol",
        layout: {
          "text-field": ["get", "label"],
          "text-font": [FONT_STRONG],
          "text-size": 20 * u,
          "text-padding": 6 * u,
          "symbol-sort-key": ["get", "rank"],
        },
        paint: {
          "text-color": p.mark,
          "text-halo-color": p.halo,
          "text-halo-width": 3 * u,
        },
      },
    ],
  };
}

/** What is planned: hatched or dashed, in no colour. What runs now is drawn heavier than what is ahead. */
function plans(
  p: Palette,
  u: number,
): Partial<Record<LayerName, [SourceName | null, Draw]>> {
  // "MultiPolygon" too.
  const shape = (name: string): ExpressionSpecification => [
    "in",
    name,
    ["geometry-type"],
  ];
  const weight = (running: number, ahead: number): ExpressionSpecification => [
    "case",
    ["any", ["get", "running"], ["get", "draft"]],
    running,
    ahead,
  ];
  const line = (width: ExpressionSpecification, dash: number[] | null) =>
    ({
      type: "line",
      paint: {
        "line-color": p.mark,
        "line-width": ["*", u, width],
        "line-opacity": weight(1, 0.7),
        ...(dash && { "line-dasharray": dash }),
      },
    }) as Draw;
  return {
    "plan-hatch": [
      "plans",
      {
        type: "fill",
        filter: shape("Polygon"),
        paint: {
          "fill-pattern": "hatch-plan",
          "fill-opacity": weight(0.9, 0.5),
        },
      },
    ],
    "plan-edge": [
      "plans",
      { ...line(weight(2, 1.4), [4, 3]), filter: shape("Polygon") },
    ],
    "plan-line-case": [
      "plans",
      {
        type: "line",
        filter: shape("LineString"),
        layout: { "line-cap": "butt", "line-join": "round" },
        paint: { "line-color": p.plate, "line-width": 11 * u },
      },
    ],
    "plan-line": [
      "plans",
      {
        ...line(
          ["case", ["get", "closure"], weight(7, 5), weight(3.5, 2.5)],
          [1.6, 1.1],
        ),
        filter: shape("LineString"),
      },
    ],
    "plan-point": [
      "plans",
      {
        type: "circle",
        filter: shape("Point"),
        paint: {
          "circle-radius": 10 * u,
          "circle-color": p.plate,
          "circle-stroke-color": p.mark,
          "circle-stroke-width": ["*", u, weight(3, 2)],
        },
      },
    ],
    "plan-label": [
      "plans",
      {
        type: "symbol",
        filter: ["!=", ["get", "label"], ""],
        layout: {
          "text-field": ["get", "label"],
          "text-font": [FONT],
          "text-size": 20 * u,
          "text-max-width": 12,
          "text-padding": 6 * u,
          "text-offset": [0, 1.2],
          "text-anchor": "top",
          "text-optional": true,
        },
        paint: {
          "text-color": p.mark,
          "text-halo-color": p.halo,
          "text-halo-width": 2.6 * u,
        },
      },
    ],
  };
}

/** The whole style in drawing order, sized for this wall. Data comes later, by source. */
export function buildStyle(palette: Palette, u: number): StyleSpecification {
  const drawn = {
    ...ground(palette, u),
    ...watch(palette, u),
    ...cells(palette, u),
    ...words(palette, u),
    ...marks(palette, u),
    ...plans(palette, u),
  };
  const layers: LayerSpecification[] = [];
  for (const id of ORDER) {
    const found = drawn[id];
    if (!found) continue;
    const [source, draw] = found;
    layers.push({
      id,
      ...(source === null ? {} : { source }),
      ...draw,
    } as LayerSpecification);
  }
  return {
    version: 8,
    sources: Object.fromEntries(
      SOURCES.map((name) => [
        name,
        { type: "geojson", data: EMPTY, tolerance: 0.2 },
      ]),
    ),
    layers,
  };
}
