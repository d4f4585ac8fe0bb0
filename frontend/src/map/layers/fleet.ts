// Things on the map: a part of the stage that reads the fleet's columns and uploads what changed. It survives a new style and a lost
// context by making its GL objects anew.
import type { Map as GLMap } from "maplibre-gl";
import { FleetTools, type FleetLook } from "./fleet-gl";
import { FleetRows, type Points } from "./fleet-rows";
import { sizes, type Sides } from "./fleet-size";
import type { Part } from "./stage";

export type { FleetLook } from "./fleet-gl";
export type { Points } from "./fleet-rows";

export const FADE_MS = 300;
/** Sizes follow a crowd at rest, and a camera that moves. */
const MEASURE_MS = 1_000;
const MEASURE_MOVING_MS = 250;

export class FleetLayer implements Part {
  #points: Points;
  #look: FleetLook;
  #map: GLMap | null = null;
  #unwatch: (() => void) | null = null;
  #tools: FleetTools | null = null;
  #rows = new FleetRows();
  #now = 0;
  #sides: Sides = [30, 26, 15];
  #measuredAt = -Infinity;
  #chosen: string | null = null;
  /** Things leave by fading: the buffer keeps what was there meanwhile. */
  #leaving = false;
  #alpha = 1;
  #fadeAt = 0;
  readonly #ranks = new Uint32Array(3);
  readonly #soon: () => void;

  /** `soon` asks for a frame. */
  constructor(points: Points, look: FleetLook, soon: () => void) {
    this.#points = points;
    this.#look = look;
    this.#soon = soon;
  }

  added(map: GLMap): void {
    this.#map = map;
    this.#tools?.drop();
    this.#tools = null;
    this.#unwatch?.();
    this.#unwatch = this.#points.watch(this.#soon);
  }

  removed(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#map = null;
    this.#tools?.drop();
    this.#tools = null;
  }

  /** Another wall size, theme or state of the connection; the style is made anew and adds the layer again. */
  dress(look: FleetLook): void {
    this.#look = look;
    this.#measuredAt = -Infinity;
  }

  /** The server's time, milliseconds since 1970: what is stale by it is drawn hollow. */
  tell(now: number): void {
    this.#now = now;
    this.#soon();
  }

  choose(id: string | null): void {
    this.#chosen = id;
    this.#soon();
  }

  /** The index of the nearest Thing within `radius` CSS pixels of a place on the screen, or -1. */
  pick(lng: number, lat: number, zoom: number, radius: number): number {
    if (this.#leaving) return -1;
    this.#sync();
    return this.#rows.pick(lng, lat, radius / (512 * 2 ** zoom));
  }

  /** The plate's side of a prominence, CSS pixels. */
  side(rank: number): number {
    return this.#sides[rank] ?? 0;
  }

  prepare(gl: WebGL2RenderingContext, map: GLMap): boolean {
    this.#sync();
    this.#fade();
    if (this.#rows.count === 0) return false;
    this.#tools ??= new FleetTools(
      gl,
      Math.max(16, Math.round(20 * this.#look.u * map.getPixelRatio())),
    );
    this.#measure(map);
    return true;
  }

  draw(_gl: WebGL2RenderingContext, map: GLMap, main: Float64Array): void {
    this.#tools?.draw(this.#rows, {
      look: this.#look,
      ratio: map.getPixelRatio(),
      main,
      sides: this.#sides,
      ranks: this.#ranks,
      now: this.#now,
      alpha: this.#alpha,
      chosen: this.#chosen === null ? -1 : this.#points.indexOf(this.#chosen),
    });
  }

  /** Brings the rows up to what the fleet says. */
  #sync(): void {
    const p = this.#points;
    const rows = this.#rows;
    const map = this.#map;
    if (!map || !rows.behind(p)) return;
    rows.limit(p.drawn);
    if (p.size === 0 && rows.count > 0) {
      if (!this.#leaving && !this.#look.still) {
        this.#leaving = true;
        this.#fadeAt = performance.now();
      }
      if (this.#leaving) return;
    }
    if (this.#leaving || (rows.count === 0 && p.size > 0)) {
      this.#leaving = false;
      this.#alpha = this.#look.still ? 1 : 0;
      this.#fadeAt = performance.now();
      rows.forget();
    }
    rows.sync(p, map.getCenter(), this.#now || Date.now(), (from, to) => {
      this.#tools?.upload(rows.rows, from, to);
    });
  }

  #fade(): void {
    if (!this.#leaving && this.#alpha === 1) return;
    const part = Math.min(1, (performance.now() - this.#fadeAt) / FADE_MS);
    this.#alpha = this.#leaving ? 1 - part : part;
    if (part < 1) {
      this.#soon();
    } else if (this.#leaving) {
      this.#leaving = false;
      this.#alpha = 1;
      this.#rows.count = 0;
      this.#rows.take(this.#points);
    }
  }

  /** Sizes by what is in view: many are drawn smaller, so that the ground stays readable. */
  #measure(map: GLMap): void {
    const at = performance.now();
    const pace = map.isMoving() ? MEASURE_MOVING_MS : MEASURE_MS;
    if (at - this.#measuredAt < pace) return;
    this.#measuredAt = at;
    const b = map.getBounds();
    const ranks = this.#ranks.fill(0);
    this.#rows.countIn(
      [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()],
      ranks,
    );
    // Not the container's size: to read that is a layout of the page.
    const { width, height } = map.getCanvas();
    const area = (width * height) / map.getPixelRatio() ** 2;
    this.#sides = sizes(ranks, area, map.getZoom(), this.#look.u, this.#sides);
  }
}
