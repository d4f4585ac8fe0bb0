// The wall's camera: it moves by itself only when the set of incidents changes, flies once to a new Extreme,
// and stands still from the moment a person has moved it until a key gives it back.
import type { Incident } from "../../wire/wire";
import { boxOf, within, type Box } from "../../map/geometry";
import { framed, loudest } from "../../features/incidents/rank";

export interface Lens {
  /** The zoom at which a box fits. */
  zoomFor(
    box: Box,
    padding: { top: number; right: number; bottom: number; left: number },
  ): number;
  fit(
    box: Box,
    padding: { top: number; right: number; bottom: number; left: number },
    maxZoom: number,
    ms: number,
  ): void;
}

const FLY_MS = 900;
const DWELL_MS = 8_000;
/**
 * About 22 px to a kilometre on a 1920 wall: one incident is seen with its neighbours, not alone in a field. A small city is never shown
 * farther out than it fits.
 */
const CLOSEST = 10.5;
/** What a desk shows is shown as closely as it does. */
const SHOWN = 17;
/** More room around incidents than around the area: their numbers and the plate of the worst, in mock pixels. */
const ROOM = 70;
const AROUND_DEGREES = 0.09;

export class Camera {
  #lens: Lens;
  #home: Box;
  #watch: Box;
  #u: number;
  #still: boolean;
  #onLock: (locked: boolean) => void;
  #locked = false;
  #key: string | null = null;
  #incidents: readonly Incident[] = [];
  /** What a desk shows; null: incidents are followed. */
  #shown: Box | null = null;
  #flown = new Set<string>();
  #dwell: ReturnType<typeof setTimeout> | null = null;

  /** `watch`: what lies beyond it is listed, but the camera does not go there: one wrong coordinate must not show the wall half an island. */
  constructor(
    lens: Lens,
    home: Box,
    watch: Box,
    u: number,
    still: boolean,
    onLock: (locked: boolean) => void,
  ) {
    this.#lens = lens;
    this.#home = home;
    this.#watch = watch;
    this.#u = u;
    this.#still = still;
    this.#onLock = onLock;
  }

  /** Room for the legend, the labels and the attribution around what is fitted. */
  static padding(u: number) {
    return { top: 90 * u, right: 110 * u, bottom: 80 * u, left: 110 * u };
  }

  follow(all: readonly Incident[]): void {
    this.#shown = null;
    const incidents = all.filter(
      ({ location }) =>
        !location || within(this.#watch, location.lng, location.lat),
    );
    this.#incidents = incidents;
    const key = framed(incidents)
      .map((i) => i.id)
      .sort()
      .join(",");
    const first = this.#key === null;
    if (key === this.#key) return;
    this.#key = key;
    const fresh = incidents.find((i) => loudest(i) && !this.#flown.has(i.id));
    for (const i of incidents) if (loudest(i)) this.#flown.add(i.id);
    if (this.#locked) return;
    // Where it dwells on a new Extreme that nobody has yet, it is not called away by what is less; what is there by then is shown after.
    if (!fresh && this.#dwell !== null && incidents.some(loudest)) return;
    if (first || !fresh?.location) {
      this.#fitAll(0);
      return;
    }
    const { lng, lat } = fresh.location;
    const around = AROUND_DEGREES;
    this.#fit(
      [lng - around, lat - around, lng + around, lat + around],
      this.#ms(),
    );
    this.#later();
  }

  /** A desk shows everybody a part of the map; what comes after it follows again. */
  show(box: Box): void {
    const key = `view ${box.join(" ")}`;
    if (key === this.#key) return;
    this.#cancel();
    this.#key = key;
    this.#shown = box;
    // Whoever steers the wall has the last word: a touch of an hour ago must not keep it from showing this.
    if (this.#locked) {
      this.#locked = false;
      this.#onLock(false);
    }
    this.#fit(box, this.#ms(), 0, SHOWN);
  }

  /** A person moved the map. */
  take(): void {
    this.#cancel();
    if (this.#locked) return;
    this.#locked = true;
    this.#onLock(true);
  }

  /** The key that gives the view back. */
  resume(): void {
    if (this.#locked) {
      this.#locked = false;
      this.#onLock(false);
    }
    this.#fitAll(0);
  }

  resize(u: number): void {
    if (u === this.#u) return;
    this.#u = u;
    if (!this.#locked) this.#fitAll(0);
  }

  stop(): void {
    this.#cancel();
  }

  #ms(): number {
    return this.#still ? 0 : FLY_MS;
  }

  #later(): void {
    this.#cancel();
    this.#dwell = setTimeout(() => {
      if (!this.#locked) this.#fitAll(this.#ms());
    }, DWELL_MS);
  }

  #cancel(): void {
    if (this.#dwell !== null) clearTimeout(this.#dwell);
    this.#dwell = null;
  }

  #fitAll(ms: number): void {
    this.#cancel();
    if (this.#shown) {
      this.#fit(this.#shown, ms, 0, SHOWN);
      return;
    }
    const places = framed(this.#incidents).flatMap((i) =>
      i.location ? [[i.location.lng, i.location.lat]] : [],
    );
    const box = boxOf(places);
    if (box) this.#fit(box, ms, ROOM);
    else this.#fit(this.#home, ms);
  }

  #fit(box: Box, ms: number, more = 0, closest = CLOSEST): void {
    const { top, right, bottom, left } = Camera.padding(this.#u);
    const room = more * this.#u;
    const whole = this.#lens.zoomFor(this.#home, { top, right, bottom, left });
    this.#lens.fit(
      box,
      {
        top: top + 1.5 * room,
        right: right + room,
        bottom: bottom + room,
        left: left + room,
      },
      Math.max(closest + Math.log2(this.#u), whole),
      ms,
    );
  }
}

/** A step of the camera that a key asks for: pixels to the right and down, or zoom levels. */
export interface Step {
  x: number;
  y: number;
  zoom: number;
}

/** What a key asks for, `far` pixels at a time; null: it is no key of the camera. */
export function stepOf(key: string, far: number): Step | null {
  switch (key) {
    case "ArrowLeft":
      return { x: -far, y: 0, zoom: 0 };
    case "ArrowRight":
      return { x: far, y: 0, zoom: 0 };
    case "ArrowUp":
      return { x: 0, y: -far, zoom: 0 };
    case "ArrowDown":
      return { x: 0, y: far, zoom: 0 };
    case "+":
    case "=":
      return { x: 0, y: 0, zoom: 1 };
    case "-":
      return { x: 0, y: 0, zoom: -1 };
    default:
      return null;
  }
}
