// The base map under our own layers: a PMTiles file or an outside style, both from our own origin. Nothing is loaded where there is none.
import type {
  LayerSpecification,
  Map as GLMap,
  SourceSpecification,
} from "maplibre-gl";
import type { Profile } from "../api/profile";
import type { LayerName } from "./order";
import type { Palette } from "./palette";

/** How our own layers look just now; without hue while the connection is lost. */
export interface Look {
  palette: Palette;
  /** CSS pixels of one mock pixel. */
  u: number;
}

/** Prefix of every source and layer of the base map. */
export const MARK = "basemap-";

/**
 * Where each kind of layer goes. All lie below our marks, cells and words: ground under the hatch of what nobody observes, lines above it
 * (thin enough to leave it legible), names where ours win the room.
 */
export const BELOW: Record<"ground" | "lines" | "names", LayerName> = {
  ground: "unobserved",
  lines: "vignette-1",
  names: "district-label",
};

export interface Part {
  place: keyof typeof BELOW;
  layer: LayerSpecification;
}

/** How long after a failure the base map is tried again: a wall that began without internet gets it when it is there. */
const AGAIN_MS = 60_000;

/** What a base map is made of, and whose it is where that was not known before. */
export interface Made {
  sources: Record<string, SourceSpecification>;
  parts: Part[];
  words: string;
}

/** Each load of a style ends what was under way for the one before. */
const turns = new WeakMap<GLMap, number>();
const retries = new WeakMap<GLMap, ReturnType<typeof setTimeout>>();

/** Nothing more comes of what was under way for the base map: it was switched off. */
export function endBasemap(map: GLMap): void {
  turns.set(map, (turns.get(map) ?? 0) + 1);
  clearTimeout(retries.get(map));
  delete map.getContainer().dataset["basemap"];
}

/**
 * Puts the base map under our layers; called after each load of a style, since a new one has forgotten it. It never fails: without the
 * base map our own layers still tell where everything is.
 */
export async function addBasemap(
  map: GLMap,
  profile: Profile,
  look: Look,
  onWords?: (attribution: string) => void,
): Promise<void> {
  const { kind, url, attribution } = profile.basemap;
  if (kind === "none" || url === "") return;
  const turn = (turns.get(map) ?? 0) + 1;
  turns.set(map, turn);
  try {
    const made =
      kind === "pmtiles"
        ? await (
            await import("./basemap-pmtiles")
          ).pmtilesParts(profile.basemap, look)
        : await (await import("./basemap-style")).styleParts(url, look);
    if (turns.get(map) !== turn) return;
    for (const [name, source] of Object.entries(made.sources)) {
      if (!map.getSource(name)) map.addSource(name, source);
    }
    for (const { place, layer } of made.parts) {
      if (map.getLayer(layer.id)) continue;
      const below = BELOW[place];
      map.addLayer(layer, map.getLayer(below) ? below : undefined);
    }
    map.getContainer().dataset["basemap"] = kind;
    // A profile that was asked for before the outside had answered does not know whose map it is.
    if (made.words !== "" && attribution === "") onWords?.(made.words);
  } catch (error) {
    console.warn("base map:", error);
    if (turns.get(map) !== turn) return;
    // One listener for a map, however often the outside fails it.
    if (!retries.has(map)) {
      void map.once("remove", () => {
        clearTimeout(retries.get(map));
        turns.delete(map);
      });
    }
    const again = setTimeout(() => {
      if (turns.get(map) === turn) {
        void addBasemap(map, profile, look, onWords);
      }
    }, AGAIN_MS);
    retries.set(map, again);
  }
}
