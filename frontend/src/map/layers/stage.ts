// Frames of our own: where only one of our parts changed (Things, severities of cells) and the camera stands, that part is drawn over a
// picture of the map (picture.ts), and the map does not go through its layers. Where two parts are drawn at once, the map draws.
import type {
  CustomLayerInterface,
  CustomRenderMethodInput,
  Map as GLMap,
} from "maplibre-gl";
import type { Pace } from "../pace";
import { Picture } from "./picture";

/** What draws itself on the map. */
export interface Part {
  /** A new style has it; what it owned in another context is gone. */
  added(map: GLMap): void;
  removed(): void;
  /** Brings up to date what it draws; false: nothing. */
  prepare(gl: WebGL2RenderingContext, map: GLMap): boolean;
  /** `main`: the map's matrix from shares of the world to clip space. */
  draw(gl: WebGL2RenderingContext, map: GLMap, main: Float64Array): void;
}

/** Frames whose end is waited for together. */
const MOST_WAITING = 4;
const MOST_ASKED = 64;
/** How often their end is asked for, milliseconds: less and less often, for a slow card has other work to be asked for. */
const LOOK_MS = 8;
const LOOK_MOST_MS = 32;
/** The end of at most so many frames is waited for: each costs some tasks of the main thread. Uneven, so that no beat of readings is always missed. */
const MEASURE_MS = 400;
const MEASURE_MORE_MS = 400;

type Paper = Pick<
  Picture,
  "forget" | "holds" | "takeBelow" | "takeWhole" | "lay" | "cover" | "drop"
>;

export class Stage {
  /** Lies above every other layer: it finishes what a part's layer began. */
  readonly top: CustomLayerInterface = {
    id: "stage-top",
    type: "custom",
    renderingMode: "2d",
    onRemove: () => {
      this.#picture?.drop();
      this.#picture = null;
    },
    render: () => {
      this.#finish();
    },
  };
  /** Something changed: asks for one frame, at the pace of the machine. */
  readonly soon: () => void;

  /** Bottom to top. */
  #parts: Part[] = [];
  #map: GLMap | null = null;
  #gl: WebGL2RenderingContext | null = null;
  #make: (gl: WebGL2RenderingContext) => Paper;
  #picture: Paper | null = null;
  /** The map's frame at hand has reached the lowest part. */
  #begun = false;
  /** The parts that this frame draws. */
  #shown: Part[] = [];
  /** The part that the picture is cut at. */
  #cut: Part | null = null;
  #main = new Float64Array(16);
  #asked: (() => void)[] = [];
  #waiting = 0;
  #measureAt = -Infinity;

  constructor(
    pace: Pick<Pace, "paced">,
    make: (gl: WebGL2RenderingContext) => Paper = (gl) => new Picture(gl),
  ) {
    this.#make = make;
    this.soon = pace.paced(() => {
      this.#paint();
    });
  }

  /** The layer of a part. Parts come in the order in which the style has their layers. */
  layer(id: string, part: Part): CustomLayerInterface {
    this.#parts.push(part);
    return {
      id,
      type: "custom",
      renderingMode: "2d",
      onAdd: (map) => {
        this.#map = map;
        // A new style adds the layers again without having removed them.
        this.#picture?.drop();
        this.#picture = null;
        part.added(map);
      },
      onRemove: () => {
        this.#map = null;
        part.removed();
      },
      render: (gl, input) => {
        this.#render(part, gl, input);
      },
    };
  }

  /**
   * Runs `then` when the next frame is there: drawn by whoever draws it, at the pace of the machine, and done by the graphics card. It may not
   * run at all: where frames are asked after faster than they are done, some are not waited for.
   */
  drawn(then: () => void): void {
    if (this.#asked.length < MOST_ASKED) this.#asked.push(then);
  }

  /** All of a frame has been told to the graphics card. */
  #told(gl: WebGL2RenderingContext): void {
    if (this.#asked.length === 0) return;
    const asked = this.#asked;
    this.#asked = [];
    const now = performance.now();
    if (this.#waiting === MOST_WAITING || now < this.#measureAt) return;
    this.#measureAt = now + MEASURE_MS + MEASURE_MORE_MS * Math.random();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!fence) return;
    gl.flush();
    this.#waiting++;
    let wait = LOOK_MS;
    const look = () => {
      const lost = gl.isContextLost();
      const done =
        lost || gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED;
      if (!done) {
        setTimeout(look, wait);
        wait = Math.min(LOOK_MOST_MS, 2 * wait);
        return;
      }
      this.#waiting--;
      gl.deleteSync(fence);
      if (!lost) for (const then of asked) then();
    };
    setTimeout(look);
  }

  /** In the map's own frame, when all below the part is drawn. */
  #render(
    part: Part,
    gl: WebGL2RenderingContext,
    input: Pick<CustomRenderMethodInput, "defaultProjectionData">,
  ): void {
    const map = this.#map;
    if (!map) return;
    if (!this.#begun) {
      this.#begun = true;
      this.#gl = gl;
      this.#picture?.forget();
      this.#main.set(input.defaultProjectionData.mainMatrix);
      this.#shown = this.#parts.filter((p) => p.prepare(gl, map));
      const [first] = this.#shown;
      // A camera that moves makes every picture worthless at once.
      this.#cut =
        first && this.#shown.length === 1 && !map.isMoving() ? first : null;
    }
    if (!this.#shown.includes(part)) return;
    if (this.#cut === part) {
      this.#picture ??= this.#make(gl);
      this.#picture.takeBelow();
    } else part.draw(gl, map, this.#main);
  }

  /** In the map's own frame, when all is drawn but the part that the picture is cut at. */
  #finish(): void {
    const map = this.#map;
    const gl = this.#gl;
    this.#begun = false;
    if (!map || !gl) return;
    if (this.#cut && this.#picture) {
      this.#picture.takeWhole();
      this.#cut.draw(gl, map, this.#main);
      this.#picture.cover();
    }
    this.#told(gl);
  }

  /** A frame of our own. Where there is no picture for it, the map draws. */
  #paint(): void {
    const map = this.#map;
    const gl = this.#gl;
    if (!map) return;
    const shown = gl ? this.#parts.filter((p) => p.prepare(gl, map)) : [];
    // Nothing is drawn, and nothing was.
    if (gl && shown.length + this.#shown.length === 0) return;
    const [first] = shown;
    if (
      !gl ||
      !this.#picture?.holds ||
      map.isMoving() ||
      shown.length > 1 ||
      (first && first !== this.#cut)
    ) {
      map.triggerRepaint();
      return;
    }
    this.#picture.lay();
    if (first) {
      first.draw(gl, map, this.#main);
      this.#picture.cover();
    }
    this.#told(gl);
  }
}
