// A PMTiles file in Protomaps' schema (version 4), drawn dark and quiet: water, roads, borders and places, in our own font.
import { addProtocol } from "maplibre-gl";
import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { Protocol } from "pmtiles";
import type { BasemapInfo } from "../api/profile";
import { MARK, type Look, type Made, type Part } from "./basemap";
import { FONT } from "./style";

let protocol: Protocol | null = null;

/** Teaches MapLibre to read pmtiles:// addresses; once a page. */
function teach(): void {
  if (protocol) return;
  protocol = new Protocol();
  addProtocol("pmtiles", protocol.tile);
}

export const SOURCE = `${MARK}tiles`;

type Kind = string | string[];

const isKind = (kinds: Kind): ExpressionSpecification => [
  "in",
  ["get", "kind"],
  ["literal", typeof kinds === "string" ? [kinds] : kinds],
];

/** Grows from one width to another between two zooms. */
const widths = (
  ...stops: [number, number][]
): ((u: number) => ExpressionSpecification) => {
  return (u) => [
    "interpolate",
    ["exponential", 1.6],
    ["zoom"],
    ...stops.flatMap(([zoom, width]) => [zoom, width * u] as const),
  ];
};

interface Road {
  id: string;
  kinds: Kind;
  minzoom: number;
  width: (u: number) => ExpressionSpecification;
  opacity: number;
}

const ROADS: Road[] = [
  {
    id: "path",
    kinds: ["path"],
    minzoom: 14,
    width: widths([14, 0.4], [17, 1.2]),
    opacity: 0.6,
  },
  {
    id: "minor",
    kinds: ["minor_road", "other"],
    minzoom: 12,
    width: widths([12, 0.4], [14, 1], [17, 5]),
    opacity: 0.7,
  },
  {
    id: "major",
    kinds: ["major_road"],
    minzoom: 8,
    width: widths([8, 0.5], [12, 1.4], [17, 8]),
    opacity: 0.9,
  },
  {
    id: "highway",
    kinds: ["highway"],
    minzoom: 6,
    width: widths([6, 0.6], [12, 2.2], [17, 10]),
    opacity: 1,
  },
];

/** The layers of vector tiles, in drawing order. */
export function vectorParts({ palette, u }: Look): Part[] {
  const of = (
    place: Part["place"],
    id: string,
    from: string,
    rest: object,
  ): Part => ({
    place,
    layer: {
      id: MARK + id,
      source: SOURCE,
      "source-layer": from,
      ...rest,
    } as LayerSpecification,
  });
  const lines = { "line-join": "round", "line-cap": "round" };
  const parts = [
    of("ground", "green", "landuse", {
      type: "fill",
      minzoom: 9,
      filter: isKind(["park", "forest", "wood", "nature_reserve", "grass"]),
      paint: { "fill-color": palette.vignette, "fill-opacity": 0.18 },
    }),
    of("ground", "sea", "water", {
      type: "fill",
      filter: isKind("ocean"),
      paint: { "fill-color": palette.sea },
    }),
    of("ground", "water", "water", {
      type: "fill",
      filter: [
        "all",
        ["!", isKind("ocean")],
        ["==", ["geometry-type"], "Polygon"],
      ],
      paint: {
        "fill-color": palette.lake,
        "fill-outline-color": palette.lakeLine,
      },
    }),
    of("ground", "building", "buildings", {
      type: "fill",
      minzoom: 14,
      paint: { "fill-color": palette.edge, "fill-opacity": 0.5 },
    }),
    of("lines", "river", "water", {
      type: "line",
      minzoom: 8,
      filter: ["==", ["geometry-type"], "LineString"],
      layout: lines,
      paint: {
        "line-color": palette.river,
        "line-width": widths([8, 0.6], [12, 1.4], [16, 4])(u),
      },
    }),
    ...ROADS.map(({ id, kinds, minzoom, width, opacity }) =>
      of("lines", `road-${id}`, "roads", {
        type: "line",
        minzoom,
        filter: isKind(kinds),
        layout: lines,
        paint: {
          "line-color": palette.road,
          "line-opacity": opacity,
          "line-width": width(u),
        },
      }),
    ),
    of("lines", "rail", "roads", {
      type: "line",
      minzoom: 10,
      filter: isKind("rail"),
      paint: {
        "line-color": palette.road,
        "line-width": u,
        "line-dasharray": [4, 3],
        "line-opacity": 0.7,
      },
    }),
    of("lines", "border", "boundaries", {
      type: "line",
      filter: isKind(["country", "region", "county"]),
      paint: {
        "line-color": palette.neighbourLine,
        "line-width": 1.2 * u,
        "line-dasharray": [4, 2, 1, 2],
      },
    }),
  ];
  return [...parts, ...placeNames(of, palette, u)];
}

type Of = (
  place: Part["place"],
  id: string,
  from: string,
  rest: object,
) => Part;

/** Names of towns and quarters, quieter than ours and losing the room to them. */
function placeNames(of: Of, palette: Look["palette"], u: number): Part[] {
  const name: ExpressionSpecification = [
    "coalesce",
    ["get", "name:id"],
    ["get", "name"],
  ];
  const words = (size: number) => ({
    type: "symbol",
    layout: {
      "text-field": name,
      "text-font": [FONT],
      "text-size": size * u,
      "text-max-width": 8,
      "text-padding": 8 * u,
      "symbol-sort-key": ["-", 0, ["coalesce", ["get", "population_rank"], 0]],
    },
    paint: {
      "text-color": palette.quietLabel,
      "text-halo-color": palette.land,
      "text-halo-width": 2 * u,
    },
  });
  return [
    of("names", "quarter", "places", {
      minzoom: 12.5,
      filter: isKind(["neighbourhood", "macrohood"]),
      ...words(14),
    }),
    of("names", "town", "places", {
      minzoom: 9,
      filter: isKind("locality"),
      ...words(16),
    }),
  ];
}

/** Pictures, without hue and darker, so that what we mark stands out. */
export function pictureLayer(id: string, source: string): Part {
  return {
    place: "ground",
    layer: {
      id,
      type: "raster",
      source,
      paint: {
        "raster-saturation": -1,
        "raster-brightness-max": 0.6,
        "raster-opacity": 0.45,
        "raster-fade-duration": 0,
      },
    },
  };
}

export async function pmtilesParts(
  info: BasemapInfo,
  look: Look,
): Promise<Made> {
  teach();
  const url = `pmtiles://${location.origin}${info.url}`;
  const parts =
    info.tiles === "raster"
      ? [pictureLayer(`${MARK}picture`, SOURCE)]
      : vectorParts(look);
  return Promise.resolve({
    sources: {
      [SOURCE]:
        info.tiles === "raster"
          ? { type: "raster", url, tileSize: 256 }
          : { type: "vector", url },
    },
    parts,
    words: "",
  });
}
