// An outside style, as our server gives it: its fills, lines and names under our own layers, in our greys and our font. Its icons, patterns
// and background stay away: on this map only what calls for attention has a colour or a mark.
import type {
  LayerSpecification,
  SourceSpecification,
  StyleSpecification,
} from "maplibre-gl";
import { MARK, type Look, type Made, type Part } from "./basemap";
import { pictureLayer } from "./basemap-pmtiles";
import { FONT } from "./style";
import { luminance, mix, readColour } from "./tone";

/** No style is drawn with more; a heavy one would cost the map its pace. */
const MOST_LAYERS = 250;

const WATER = /water|ocean|sea\b|lake|bay/i;

export async function styleParts(url: string, look: Look): Promise<Made> {
  const answer = await fetch(url, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const style = (await answer.json()) as StyleSpecification;
  return readStyle(style, location.origin, look);
}

/** Addresses on our own origin as MapLibre wants them: whole. */
function whole(source: SourceSpecification, origin: string): unknown {
  const at = (text: unknown) =>
    typeof text === "string" && text.startsWith("/") ? origin + text : text;
  const out: Record<string, unknown> = { ...source };
  for (const key of ["url", "data"]) {
    if (key in out) out[key] = at(out[key]);
  }
  if (Array.isArray(out["tiles"])) out["tiles"] = out["tiles"].map(at);
  return out;
}

export function readStyle(
  style: StyleSpecification,
  origin: string,
  look: Look,
): Made {
  const sources = Object.fromEntries(
    Object.entries(style.sources).map(([name, source]) => [
      MARK + name,
      whole(source, origin) as SourceSpecification,
    ]),
  );
  const ground = groundOf(style);
  const parts = style.layers.slice(0, MOST_LAYERS).flatMap((layer) => {
    const part = readLayer(layer, look, ground);
    return part ? [part] : [];
  });
  const { attribution } = (style.metadata ?? {}) as { attribution?: unknown };
  const words = typeof attribution === "string" ? attribution : "";
  return { sources, parts, words };
}

/** How light the style's own ground is, 0 to 1: its things are told by how far they are from that. */
function groundOf(style: StyleSpecification): number {
  for (const layer of style.layers) {
    if (layer.type !== "background") continue;
    const colour = layer.paint?.["background-color"];
    const read = typeof colour === "string" ? readColour(colour) : null;
    if (read) return luminance(read);
  }
  return 1;
}

/** One layer of theirs as one of ours; null where it stays away. */
function readLayer(
  layer: LayerSpecification,
  look: Look,
  ground: number,
): Part | null {
  if (!("source" in layer) || typeof layer.source !== "string") return null;
  const id = MARK + layer.id;
  const source = MARK + layer.source;
  switch (layer.type) {
    case "raster":
      return pictureLayer(id, source);
    case "fill":
      if (layer.paint?.["fill-pattern"] !== undefined) return null;
      return { place: "ground", layer: repaint(layer, look, ground) };
    case "line":
      if (layer.paint?.["line-pattern"] !== undefined) return null;
      return { place: "lines", layer: repaint(layer, look, ground) };
    case "symbol":
      return words(layer, look);
    default:
      return null;
  }
}

function repaint(
  layer: LayerSpecification & { source: string },
  { palette }: Look,
  ground: number,
): LayerSpecification {
  const from = "source-layer" in layer ? (layer["source-layer"] ?? "") : "";
  const water = WATER.test(layer.id) || WATER.test(from);
  const still = layer.type === "fill" ? 0.08 : 0.5;
  const tone = (colour: string): string | null => {
    const read = readColour(colour);
    if (!read) return null;
    if (water) {
      return layer.type === "fill" ? palette.lake : palette.river;
    }
    const apart = Math.abs(luminance(read) - ground);
    return mix(palette.land, palette.label, Math.min(still, apart), read.alpha);
  };
  const paint = Object.fromEntries(
    Object.entries(layer.paint ?? {}).map(([key, value]) => [
      key,
      key.endsWith("-color") ? recolour(value, tone) : (value as unknown),
    ]),
  );
  return {
    ...layer,
    id: MARK + layer.id,
    source: MARK + layer.source,
    paint,
  } as LayerSpecification;
}

/** Turns every colour in a value, also inside expressions and stops. */
function recolour(
  value: unknown,
  tone: (colour: string) => string | null,
): unknown {
  if (typeof value === "string") return tone(value) ?? value;
  if (Array.isArray(value)) {
    return value.map((v: unknown) => recolour(v, tone));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([k, v]) => [k, recolour(v, tone)]),
    );
  }
  return value;
}

/** Names without their icons. */
function words(
  layer: LayerSpecification & { type: "symbol"; source: string },
  { palette }: Look,
): Part | null {
  if (layer.layout?.["text-field"] === undefined) return null;
  const layout = Object.fromEntries(
    Object.entries(layer.layout).filter(([key]) => !key.startsWith("icon-")),
  );
  return {
    place: "names",
    layer: {
      ...layer,
      id: MARK + layer.id,
      source: MARK + layer.source,
      layout: { ...layout, "text-font": [FONT] },
      paint: {
        "text-color": palette.quietLabel,
        "text-halo-color": palette.land,
        "text-halo-width": 1.5,
      },
    },
  };
}
