// One map per view, handed down. It holds the style, the data of each source and the camera; it knows no store.
import { Map as GLMap, setWorkerUrl } from "maplibre-gl";
import workerAddress from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { GeoJSON } from "geojson";
import type { GeoJSONSource } from "maplibre-gl";
import type { Box } from "./geometry";
import { drawIcons } from "./icons";
import type { SourceName } from "./order";
import { withoutHue, type Palette } from "./palette";
import { hatch, lattice } from "./patterns";
import { buildStyle, FONT, FONT_STRONG } from "./style";

setWorkerUrl(workerAddress);

export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

export interface MapEvents {
  /** The camera moved: marks over the map must follow. */
  onMove: () => void;
  /** A person moved it: the view is theirs until they give it back. */
  onTaken: () => void;
}

const DRAG_EVENTS = ["dragstart", "wheel", "touchstart"] as const;

export class CityMap {
  #map: GLMap;
  #palette: Palette;
  #u: number;
  #lost = false;
  #data = new Map<SourceName, GeoJSON>();
  #ready = false;
  readonly idle: Promise<void>;

  constructor(
    container: HTMLElement,
    palette: Palette,
    u: number,
    bounds: Box,
    padding: Padding,
    events: MapEvents,
  ) {
    this.#palette = palette;
    this.#u = u;
    this.#map = new GLMap({
      container,
      style: buildStyle(palette, u),
      bounds,
      fitBoundsOptions: { padding },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      minZoom: 4,
      maxZoom: 15,
      renderWorldCopies: false,
      keyboard: false,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.on("move", events.onMove);
    this.#map.on("resize", events.onMove);
    this.#map.on("style.load", () => {
      this.#addImages();
      this.#ready = true;
      for (const [name, data] of this.#data) this.#push(name, data);
    });
    for (const name of DRAG_EVENTS) this.#map.on(name, events.onTaken);
    this.idle = new Promise((done) => {
      void this.#map.once("idle").then(() => {
        done();
      });
    });
  }

  /** New data of a source; kept, so that it survives a change of style. */
  set(name: SourceName, data: GeoJSON): void {
    this.#data.set(name, data);
    if (this.#ready) this.#push(name, data);
  }

  #push(name: SourceName, data: GeoJSON): void {
    void this.#map.getSource<GeoJSONSource>(name)?.setData(data);
  }

  /** The wall's size or the state of the connection changed: the style is made anew, the data stays. */
  restyle(u: number, lost: boolean): void {
    if (u === this.#u && lost === this.#lost) return;
    this.#u = u;
    this.#lost = lost;
    this.#ready = false;
    this.#map.setStyle(buildStyle(this.#colours(), u), { diff: false });
  }

  #colours(): Palette {
    return this.#lost ? withoutHue(this.#palette) : this.#palette;
  }

  #addImages(): void {
    const colours = this.#colours();
    const ratio = Math.max(2, Math.min(3, devicePixelRatio));
    const u = this.#u;
    const textures = {
      "hatch-fine": hatch(9, 1, colours.fineHatch, u, ratio),
      "hatch-bold": hatch(8, 3.2, colours.hatch, u, ratio),
      dots: lattice(20, 1.5, colours.dot, u, ratio),
    };
    for (const [name, { pixelRatio, ...image }] of Object.entries(textures)) {
      if (!this.#map.hasImage(name)) {
        this.#map.addImage(name, image, { pixelRatio });
      }
    }
    if (!this.#map.hasImage("blank")) {
      const data = new Uint8ClampedArray(10 * 10 * 4);
      this.#map.addImage("blank", { width: 10, height: 10, data });
    }
    for (const { name, image, pixelRatio } of drawIcons(colours, u, ratio)) {
      if (!this.#map.hasImage(name)) {
        this.#map.addImage(name, image, { pixelRatio });
      }
    }
  }

  project(lng: number, lat: number): { x: number; y: number } {
    return this.#map.project([lng, lat]);
  }

  get size(): { width: number; height: number } {
    const box = this.#map.getContainer();
    return { width: box.clientWidth, height: box.clientHeight };
  }

  get view(): Box {
    const b = this.#map.getBounds();
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
  }

  get zoom(): number {
    return this.#map.getZoom();
  }

  /** Metres on the ground of one screen pixel, in the middle of the view. */
  get metresPerPixel(): number {
    const lat = this.#map.getCenter().lat;
    return (
      (78_271.5 * Math.cos((lat * Math.PI) / 180)) / 2 ** this.#map.getZoom()
    );
  }

  fit(box: Box, padding: Padding, maxZoom: number, ms: number): void {
    this.#map.fitBounds(box, {
      padding,
      maxZoom,
      duration: ms,
      essential: ms > 0,
    });
  }

  remove(): void {
    this.#map.remove();
  }
}

/** Loads the faces that labels are drawn with; without them the first labels would come in another font. */
export async function loadFaces(): Promise<void> {
  await Promise.all([
    document.fonts.load(`400 20px "${FONT}"`),
    document.fonts.load(`700 20px "${FONT_STRONG}"`),
  ]);
}
