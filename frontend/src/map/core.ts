// One map per view, handed down. It holds the style, the data of each source and the camera; it knows no store.
import { Map as GLMap, setWorkerUrl } from "maplibre-gl";
import workerAddress from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import type { GeoJSON } from "geojson";
import type { CenterZoomBearing, GeoJSONSource, PointLike } from "maplibre-gl";
import type { Look } from "./basemap";
import type { Box } from "./geometry";
import { CellLayer } from "./layers/cell-layer";
import { cellUnder, type Cells } from "./layers/cells";
import { FleetLayer, type Points } from "./layers/fleet";
import { Stage } from "./layers/stage";
import { Late } from "./late";
import { Later } from "./later";
import { ORDER, type SourceName } from "./order";
import { Pace } from "./pace";
import { withoutHue, type Palette } from "./palette";
import { hatch, lattice } from "./patterns";
import { buildStyle, FONT, FONT_STRONG, HATCHING } from "./style";

setWorkerUrl(workerAddress);

export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** What lies under the pointer: a Thing by its index in the columns, or a cell by its slot. */
export type Pick = { thing: number } | { cell: number };

export interface MapEvents {
  /** The camera moved: marks over the map must follow. */
  onMove: () => void;
  /** A person moved it: the view is theirs until they give it back. */
  onTaken: () => void;
  /** The browser has taken the map's picture away: it must be made anew. */
  onLost?: () => void;
  /** A click or tap; null: on the ground. Only where the map is interactive. */
  onPick?: (pick: Pick | null) => void;
  /** The pointer came over something else, at most once per frame; x and y in CSS pixels of the map. */
  onHover?: (pick: Pick | null, x: number, y: number) => void;
}

export interface MapOptions {
  palette: Palette;
  /** CSS pixels of one mock pixel: 1 on a desk. */
  u: number;
  bounds: Box;
  padding: Padding;
  /** Nothing moves by itself. */
  still: boolean;
  /** Picking and hovering; a wall in kiosk mode has none. */
  interactive: boolean;
  /** The server's columns; the map reads them again when they say that they changed. */
  points: Points;
  cells: Cells;
  /** Runs once after each style has loaded: a base map goes in again, in the colours of the moment. */
  onStyle?: (map: GLMap, look: Look) => void;
}

/** After so long the picture counts as the first, complete or not. */
const SETTLE_MS = 15_000;
/** After a late frame the whole map of a wall rests so many times as long. */
const WALL_REST = 3;
/** Beyond so many the library would draw a picture of several screens coarser; what a graphics card cannot do it finds out itself. */
const MOST_PX = 16_384;
/** What answers to new data of sources comes in pieces: a wall's map waits so long for more, and no longer than this after the data. */
const GATHER_MS = 80;
const ANSWER_MS = 400;
const DRAG_EVENTS = ["dragstart", "wheel", "touchstart"] as const;
/** Reach of a click around the pointer, CSS pixels. */
const REACH = 10;

export class CityMap {
  #map: GLMap;
  #palette: Palette;
  #u: number;
  #lost = false;
  #still: boolean;
  #data = new Map<SourceName, GeoJSON>();
  #pace = new Pace();
  #late: Late<SourceName>;
  #rooms: Later;
  /** Rooms of marks as the map knows them. */
  #roomed: GeoJSON | undefined;
  #box: { width: number; height: number };
  #ready = false;
  #fleet: FleetLayer;
  #points: Points;
  #cells: Cells;
  #stage = new Stage(this.#pace);
  #drawn: CellLayer;
  /** How strong the hatching of the ground is drawn, 0 to 1. */
  #strength = 1;
  #hover: { at: PointLike; x: number; y: number } | null = null;
  #hovered = "";
  #settling: ReturnType<typeof setTimeout> | undefined;
  /** When a source was given new data, last. */
  #pushedAt = -Infinity;
  /** The first picture is complete. */
  readonly idle: Promise<void>;

  constructor(container: HTMLElement, options: MapOptions, events: MapEvents) {
    const { palette, u, still, interactive } = options;
    this.#palette = palette;
    this.#u = u;
    this.#still = still;
    this.#points = options.points;
    this.#cells = options.cells;
    const { soon } = this.#stage;
    this.#fleet = new FleetLayer(options.points, this.#look(), soon);
    this.#drawn = new CellLayer(options.cells, this.#look(), soon, () => {
      this.set("cell-words", { type: "FeatureCollection", features: [] });
    });
    const marks = this.#stage.layer("cell-mark", this.#drawn);
    const things = this.#stage.layer("thing-mark", this.#fleet);
    this.#late = new Late(this.#pace, (name) => {
      this.#push(name);
      this.#rooms.now();
    });
    this.#rooms = new Later(() => {
      if (!same(this.#roomed, this.#data.get("marks"), Infinity))
        this.#push("marks");
    });
    this.#box = sizeOf(container);
    this.#map = new GLMap({
      container,
      style: buildStyle(palette, u),
      bounds: options.bounds,
      fitBoundsOptions: { padding: options.padding },
      attributionControl: false,
      // In kiosk mode nobody is there to give a view back that a passing hand has moved.
      interactive,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      minZoom: 4,
      maxZoom: 17,
      renderWorldCopies: false,
      maxCanvasSize: [MOST_PX, MOST_PX],
      keyboard: false,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.on("move", events.onMove);
    this.#map.on("resize", () => {
      this.#box = sizeOf(container);
      events.onMove();
    });
    this.#map.on("webglcontextlost", () => events.onLost?.());
    this.#map.on("render", () => {
      this.#pace.begin();
    });
    // Whatever asks the map for a frame waits where frames are slow; the map itself asks by this method too.
    const repaint = this.#map.triggerRepaint.bind(this.#map);
    // Whoever moves a map wants its frames; on a wall what lies above it goes first.
    const rest = interactive ? 1 : WALL_REST;
    this.#map.triggerRepaint = this.#pace.spared(repaint, rest, () =>
      interactive ||
      this.#map.isMoving() ||
      performance.now() - this.#pushedAt > ANSWER_MS
        ? 0
        : GATHER_MS,
    );
    this.#map.on("style.load", () => {
      this.#addImages();
      this.#ready = true;
      for (const name of this.#data.keys()) this.#push(name);
      // A new picture is wanted at once.
      this.#pushedAt = -Infinity;
      this.#map.addLayer(this.#drawn.ground, above("cell-ground"));
      this.#map.addLayer(marks, above("cell-mark"));
      this.#map.addLayer(things, above("thing-mark"));
      this.#map.addLayer(this.#stage.top);
      options.onStyle?.(this.#map, { palette: this.#colours(), u: this.#u });
      if (this.#strength !== 1) this.#hatch();
    });
    for (const name of DRAG_EVENTS) this.#map.on(name, events.onTaken);
    if (interactive) this.#listen(events);
    // Not the event of that name: Things move before it ever comes. A slow machine may not even come to the end of loading.
    this.idle = new Promise((done) => {
      this.#settling = setTimeout(done, SETTLE_MS);
      void this.#map.once("load").then(() => {
        done();
      });
    });
  }

  /**
   * New data of a source; kept, so that it survives a change of style. The rooms of marks come later than all else: the marks themselves stand
   * above the map already, and to keep words clear of them is a frame of the whole map.
   */
  set(name: SourceName, data: GeoJSON): void {
    if (name === "marks") {
      this.#data.set(name, data);
      if (this.#ready) this.#rooms.ask();
      return;
    }
    if (same(this.#data.get(name), data)) return;
    this.#data.set(name, data);
    if (this.#ready) this.#late.ask(name);
  }

  #push(name: SourceName): void {
    const data = this.#data.get(name);
    if (!this.#ready || !data) return;
    if (name === "marks") this.#roomed = data;
    this.#pushedAt = performance.now();
    void this.#map.getSource<GeoJSONSource>(name)?.setData(data);
  }

  /** The server's time, milliseconds since 1970: by it Things and cells are fresh or stale. Every few seconds is enough. */
  tell(now: number): void {
    this.#fleet.tell(now);
    this.#drawn.tell(now);
  }

  /** Runs `then` when the next frame of the map is on its way to the glass; not where the machine is far behind. */
  drawn(then: () => void): void {
    this.#stage.drawn(then);
  }

  /** The wall's size, the theme or the state of the connection changed: the style is made anew, the data stays. */
  restyle(u: number, lost: boolean, palette = this.#palette): void {
    if (u === this.#u && lost === this.#lost && palette === this.#palette) {
      return;
    }
    this.#u = u;
    this.#lost = lost;
    this.#palette = palette;
    this.#bare();
    this.#fleet.dress(this.#look());
    this.#drawn.dress(this.#look());
    this.#map.setStyle(buildStyle(this.#colours(), u), { diff: false });
  }

  /** Makes the style anew as it is: what onStyle adds has changed. */
  refresh(): void {
    this.#bare();
    this.#map.setStyle(buildStyle(this.#colours(), this.#u), { diff: false });
  }

  /** The style is made anew: all data goes into it when it is there, so none waits. */
  #bare(): void {
    this.#ready = false;
    this.#late.stop();
    this.#rooms.stop();
  }

  /** Draws the hatching of what is observed, silent and unobserved so strong, 0 to 1: what lies under it is seen better. */
  strengthen(strength: number): void {
    if (strength === this.#strength) return;
    this.#strength = strength;
    this.#drawn.dress(this.#look());
    if (this.#ready) this.#hatch();
  }

  #hatch(): void {
    for (const [name, whole] of Object.entries(HATCHING))
      this.#map.setPaintProperty(name, "fill-opacity", whole * this.#strength);
  }

  #colours(): Palette {
    return this.#lost ? withoutHue(this.#palette) : this.#palette;
  }

  #look() {
    return {
      palette: this.#colours(),
      u: this.#u,
      lost: this.#lost,
      still: this.#still,
      strength: this.#strength,
    };
  }

  #addImages(): void {
    const colours = this.#colours();
    const ratio = Math.max(2, Math.min(3, devicePixelRatio));
    const u = this.#u;
    const textures = {
      "hatch-fine": hatch(9, 1, colours.fineHatch, u, ratio),
      "hatch-bold": hatch(8, 3.2, colours.hatch, u, ratio),
      "hatch-plan": hatch(14, 1.6, colours.markLow, u, ratio, true),
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
  }

  #listen({ onPick, onHover }: MapEvents): void {
    this.#map.on("click", (event) => {
      onPick?.(this.#pick(event.point));
    });
    if (!onHover) return;
    const look = () => {
      const hover = this.#hover;
      this.#hover = null;
      if (!hover) return;
      const pick = this.#pick(hover.at);
      const key = JSON.stringify(pick);
      if (key === this.#hovered && pick === null) return;
      this.#hovered = key;
      this.#map.getCanvas().style.cursor = pick === null ? "" : "pointer";
      onHover(pick, hover.x, hover.y);
    };
    this.#map.on("mousemove", (event) => {
      if (this.#hover === null) requestAnimationFrame(look);
      this.#hover = { at: event.point, x: event.point.x, y: event.point.y };
    });
    this.#map.on("mouseout", () => {
      this.#hover = null;
      this.#hovered = "null";
      onHover(null, 0, 0);
    });
  }

  #pick(at: PointLike): Pick | null {
    const { lng, lat } = this.#map.unproject(at);
    const thing = this.#fleet.pick(lng, lat, this.#map.getZoom(), REACH);
    if (thing >= 0) return { thing };
    const cell = cellUnder(this.#cells, lng, lat);
    return cell ? { cell: cell.slot } : null;
  }

  /** Rings one Thing (it is followed while it moves) or one place; null: nothing is chosen. */
  choose(what: { thing: string } | { lng: number; lat: number } | null): void {
    this.#fleet.choose(what && "thing" in what ? what.thing : null);
    const at = what && "lng" in what ? [[what.lng, what.lat]] : [];
    this.set("chosen", { type: "MultiPoint", coordinates: at });
  }

  project(lng: number, lat: number): { x: number; y: number } {
    return this.#map.project([lng, lat]);
  }

  /** Degrees under a place of the map in CSS pixels. */
  unproject(x: number, y: number): { lng: number; lat: number } {
    const { lng, lat } = this.#map.unproject([x, y]);
    return { lng, lat };
  }

  /** CSS pixels; the same object until it changes, and read without a layout of the page. */
  get size(): { readonly width: number; readonly height: number } {
    return this.#box;
  }

  get view(): Box {
    const b = this.#map.getBounds();
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
  }

  get zoom(): number {
    return this.#map.getZoom();
  }

  /** Things of this index are counted by points; the map's own reading of them is only as old as the last frame. */
  get points(): Points {
    return this.#points;
  }

  /** Metres on the ground of one screen pixel, in the middle of the view. */
  get metresPerPixel(): number {
    const lat = this.#map.getCenter().lat;
    return (
      (78_271.5 * Math.cos((lat * Math.PI) / 180)) / 2 ** this.#map.getZoom()
    );
  }

  /** Shows a box; where it is shown so already, nothing moves and nothing is drawn. */
  fit(box: Box, padding: Padding, maxZoom: number, ms: number): void {
    const goal = this.#map.cameraForBounds(box, { padding, maxZoom });
    if (goal && !this.#map.isMoving() && this.#stands(goal)) return;
    this.#map.fitBounds(box, {
      padding,
      maxZoom,
      duration: ms,
      essential: ms > 0,
    });
  }

  #stands({ center, zoom }: CenterZoomBearing): boolean {
    if (!center || zoom === undefined) return false;
    const at = this.#map.project(center);
    const { width, height } = this.#box;
    return (
      Math.abs(at.x - width / 2) < STILL_PX &&
      Math.abs(at.y - height / 2) < STILL_PX &&
      Math.abs(zoom - this.#map.getZoom()) < 1e-4
    );
  }

  /** The zoom at which a box fits into the map as it is now. */
  zoomFor(box: Box, padding: Padding): number {
    const zoom = this.#map.cameraForBounds(box, { padding })?.zoom;
    return zoom ?? this.#map.getMinZoom();
  }

  /** Moves to a place, not farther out than it is now. */
  flyTo(lng: number, lat: number, zoom: number, ms = 900): void {
    this.#map.flyTo({
      center: [lng, lat],
      zoom: Math.max(zoom, this.zoom),
      duration: this.#still ? 0 : ms,
      essential: true,
    });
  }

  /** One step of the keyboard: pixels to the right and down, zoom levels. */
  step(x: number, y: number, zoom: number): void {
    const duration = this.#still ? 0 : 160;
    if (zoom !== 0) {
      this.#map.easeTo({ zoom: this.zoom + zoom, duration });
    } else this.#map.panBy([x, y], { duration });
  }

  remove(): void {
    clearTimeout(this.#settling);
    this.#late.stop();
    this.#rooms.stop();
    this.#drawn.stop();
    this.#map.remove();
  }
}

/** A place that is so little beside the middle, CSS pixels, is in the middle. */
const STILL_PX = 0.01;

function sizeOf({ clientWidth, clientHeight }: HTMLElement) {
  return { width: clientWidth, height: clientHeight };
}

/** So few features are compared: to draw them again costs the map several frames. */
const FEW = 100;

function same(
  a: GeoJSON | undefined,
  b: GeoJSON | undefined,
  few = FEW,
): boolean {
  if (a === b) return true;
  if (a?.type !== "FeatureCollection" || b?.type !== "FeatureCollection") {
    return false;
  }
  return (
    a.features.length === b.features.length &&
    a.features.length <= few &&
    JSON.stringify(a) === JSON.stringify(b)
  );
}

/** The id of the next layer above that the style draws. */
function above(name: (typeof ORDER)[number]): string | undefined {
  return ORDER[ORDER.indexOf(name) + 1];
}

/** Loads the faces that labels are drawn with; without them the first labels would come in another font. */
export async function loadFaces(): Promise<void> {
  await Promise.all([
    document.fonts.load(`400 20px "${FONT}"`),
    document.fonts.load(`700 20px "${FONT_STRONG}"`),
  ]);
}
