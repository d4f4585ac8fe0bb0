// Things on the map: one WebGL2 layer that reads the fleet's columns and uploads what changed. It survives a new style and a lost
// context by making its GL objects anew. Positions are float32 offsets from an anchor: less than a decimetre is lost.
import type {
  CustomLayerInterface,
  CustomRenderMethodInput,
  Map as GLMap,
} from "maplibre-gl";
import { drawGlyphs, glyphCell } from "../icons";
import { prominence } from "../kinds";
import type { Palette } from "../palette";
import { rgb } from "../patterns";
import { sizes, type Sides } from "./fleet-size";
import { FRAGMENT, VERTEX } from "./fleet-shaders";

/** The columns that are drawn; a structural part of the fleet, so that layers know no store. */
export interface Points {
  readonly size: number;
  readonly lng: Float64Array;
  readonly lat: Float64Array;
  readonly heading: Float32Array;
  readonly atMs: Float64Array;
  readonly kind: Uint16Array;
  readonly kinds: readonly string[];
  /** Grows with every change; blocks[i] is the stamp of the last change among `block` Things from i * block on. */
  readonly stamp: number;
  readonly blocks: Uint32Array;
  readonly block: number;
  staleAt(index: number): number;
  indexOf(id: string): number;
  watch(run: () => void): () => void;
}

export interface FleetLook {
  palette: Palette;
  u: number;
  lost: boolean;
  still: boolean;
}

export const FADE_MS = 300;
const FLOATS = 5;
const BYTES = FLOATS * 4;
/** Drawn nowhere: a Thing without a place. */
const NOWHERE = 9;
/** Beyond this many world widths from the anchor precision is worth a new one. */
const ANCHOR_REACH = 0.05;
const MEASURE_MS = 250;
const UNIFORMS = [
  "u_matrix",
  "u_side",
  "u_now",
  "u_class",
  "u_chosen",
  "u_glyphs",
  "u_grid",
  "u_unit",
  "u_hollow",
  "u_alpha",
  "u_mark",
  "u_quiet",
  "u_dim",
  "u_plate",
] as const;

interface Tools {
  gl: WebGL2RenderingContext;
  program: WebGLProgram;
  at: Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;
  vao: WebGLVertexArrayObject;
  buffer: WebGLBuffer;
  /** Things that the buffer has room for. */
  room: number;
  glyphs: WebGLTexture;
  grid: [number, number];
}

export const mercatorX = (lng: number): number => (180 + lng) / 360;
export const mercatorY = (lat: number): number =>
  (180 -
    (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) /
  360;

export class FleetLayer implements CustomLayerInterface {
  readonly id = "thing-mark";
  readonly type = "custom" as const;
  readonly renderingMode = "2d" as const;

  #points: Points;
  #look: FleetLook;
  #map: GLMap | null = null;
  #unwatch: (() => void) | null = null;
  #tools: Tools | null = null;
  /** What the buffer holds, row by row; picking reads it too. */
  #rows = new Float32Array(0);
  #bytes = new Uint8Array(0);
  #looks = new Uint8Array(0);
  #anchorX = 0;
  #anchorY = 0;
  #anchored = false;
  /** Stale times are seconds from here, so that float32 keeps them to the tenth of a second. */
  #clock = 0;
  #now = 0;
  #seen = 0;
  #count = 0;
  #sides: Sides = [30, 26, 15];
  #measuredAt = -Infinity;
  #chosen: string | null = null;
  /** Things leave by fading: the buffer keeps what was there meanwhile. */
  #leaving = false;
  #alpha = 1;
  #fadeAt = 0;
  readonly #matrix = new Float32Array(16);
  readonly #ranks = new Uint32Array(3);

  constructor(points: Points, look: FleetLook) {
    this.#points = points;
    this.#look = look;
  }

  onAdd(map: GLMap): void {
    this.#map = map;
    this.#tools = null;
    this.#unwatch?.();
    this.#unwatch = this.#points.watch(() => {
      map.triggerRepaint();
    });
  }

  onRemove(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    const tools = this.#tools;
    this.#tools = null;
    this.#map = null;
    if (!tools) return;
    const { gl } = tools;
    gl.deleteBuffer(tools.buffer);
    gl.deleteVertexArray(tools.vao);
    gl.deleteTexture(tools.glyphs);
    gl.deleteProgram(tools.program);
  }

  /** Another wall size, theme or state of the connection; the style is made anew and adds the layer again. */
  dress(look: FleetLook): void {
    this.#look = look;
    this.#measuredAt = -Infinity;
  }

  /** The server's time, milliseconds since 1970: what is stale by it is drawn hollow. */
  tell(now: number): void {
    this.#now = now;
    this.#map?.triggerRepaint();
  }

  choose(id: string | null): void {
    this.#chosen = id;
    this.#map?.triggerRepaint();
  }

  /** The index of the nearest Thing within `radius` CSS pixels of a place on the screen, or -1. */
  pick(lng: number, lat: number, zoom: number, radius: number): number {
    if (this.#leaving) return -1;
    this.#sync();
    const x = mercatorX(lng) - this.#anchorX;
    const y = mercatorY(lat) - this.#anchorY;
    const reach = radius / (512 * 2 ** zoom);
    let best = reach * reach;
    let found = -1;
    const rows = this.#rows;
    for (let i = 0, at = 0; i < this.#count; i++, at += FLOATS) {
      const dx = (rows[at] ?? NOWHERE) - x;
      const dy = (rows[at + 1] ?? NOWHERE) - y;
      const d = dx * dx + dy * dy;
      if (d <= best) {
        best = d;
        found = i;
      }
    }
    return found;
  }

  /** The plate's side of a prominence, CSS pixels. */
  side(rank: number): number {
    return this.#sides[rank] ?? 0;
  }

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const map = this.#map;
    if (!map) return;
    this.#sync();
    this.#fade(map);
    if (this.#count === 0) return;
    const tools = (this.#tools ??= this.#make(gl));
    this.#measure(map);
    this.#draw(tools, map, input);
  }

  /** Brings the rows up to what the fleet says. */
  #sync(): void {
    const p = this.#points;
    if (p.stamp === this.#seen) return;
    if (p.size === 0 && this.#count > 0) {
      if (!this.#leaving && !this.#look.still) {
        this.#leaving = true;
        this.#fadeAt = performance.now();
      }
      if (this.#leaving) return;
    }
    if (this.#leaving || (this.#count === 0 && p.size > 0)) {
      this.#leaving = false;
      this.#alpha = this.#look.still ? 1 : 0;
      this.#fadeAt = performance.now();
      this.#seen = 0;
    }
    this.#fit(p);
    const from = this.#seen;
    this.#count = p.size;
    const { block } = p;
    const blocks = Math.ceil(p.size / block);
    let run = -1;
    for (let b = 0; b <= blocks; b++) {
      const dirty = b < blocks && (p.blocks[b] ?? 0) >= from;
      if (dirty) {
        this.#fill(b * block, Math.min(p.size, (b + 1) * block));
        if (run < 0) run = b;
      } else if (run >= 0) {
        this.#upload(run * block, Math.min(p.size, b * block));
        run = -1;
      }
    }
    this.#seen = p.stamp;
  }

  /** Room for every Thing, and an anchor near them. */
  #fit(p: Points): void {
    if (p.size * FLOATS > this.#rows.length) {
      let room = Math.max(256, this.#rows.length / FLOATS);
      while (room < p.size) room *= 2;
      this.#rows = new Float32Array(room * FLOATS);
      this.#bytes = new Uint8Array(this.#rows.buffer);
      this.#seen = 0;
    }
    const centre = this.#map?.getCenter();
    if (!centre) return;
    const x = mercatorX(centre.lng);
    const y = mercatorY(centre.lat);
    const far = Math.max(
      Math.abs(x - this.#anchorX),
      Math.abs(y - this.#anchorY),
    );
    if (this.#anchored && far < ANCHOR_REACH) return;
    this.#anchorX = x;
    this.#anchorY = y;
    this.#anchored = true;
    this.#clock = this.#now || Date.now();
    this.#seen = 0;
  }

  #fill(from: number, to: number): void {
    const p = this.#points;
    if (this.#looks.length < p.kinds.length * 2) this.#learn(p.kinds);
    const rows = this.#rows;
    const bytes = this.#bytes;
    for (let i = from, at = from * FLOATS; i < to; i++, at += FLOATS) {
      const lng = p.lng[i] ?? Number.NaN;
      const lat = p.lat[i] ?? Number.NaN;
      const placed = lng === lng && lat === lat;
      rows[at] = placed ? mercatorX(lng) - this.#anchorX : NOWHERE;
      rows[at + 1] = placed ? mercatorY(lat) - this.#anchorY : NOWHERE;
      const heading = p.heading[i] ?? Number.NaN;
      rows[at + 2] = heading === heading ? heading : -1;
      rows[at + 3] = (p.staleAt(i) - this.#clock) / 1000;
      const kind = (p.kind[i] ?? 0) * 2;
      const byte = (at + 4) * 4;
      bytes[byte] = this.#looks[kind] ?? 0;
      bytes[byte + 1] = this.#looks[kind + 1] ?? 0;
    }
  }

  #learn(kinds: readonly string[]): void {
    const looks = new Uint8Array(kinds.length * 2);
    kinds.forEach((kind, i) => {
      looks[i * 2] = glyphCell(kind);
      looks[i * 2 + 1] = prominence(kind);
    });
    this.#looks = looks;
  }

  #upload(from: number, to: number): void {
    const tools = this.#tools;
    if (!tools || tools.room * FLOATS < this.#rows.length) return;
    const { gl, buffer } = tools;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferSubData(
      gl.ARRAY_BUFFER,
      from * BYTES,
      this.#rows,
      from * FLOATS,
      (to - from) * FLOATS,
    );
  }

  #fade(map: GLMap): void {
    if (!this.#leaving && this.#alpha === 1) return;
    const part = Math.min(1, (performance.now() - this.#fadeAt) / FADE_MS);
    this.#alpha = this.#leaving ? 1 - part : part;
    if (part < 1) {
      map.triggerRepaint();
    } else if (this.#leaving) {
      this.#leaving = false;
      this.#alpha = 1;
      this.#count = 0;
      this.#seen = this.#points.stamp;
    }
  }

  /** Sizes by what is in view: many are drawn smaller, so that the ground stays readable. */
  #measure(map: GLMap): void {
    const at = performance.now();
    if (at - this.#measuredAt < MEASURE_MS) return;
    this.#measuredAt = at;
    const b = map.getBounds();
    const west = mercatorX(b.getWest()) - this.#anchorX;
    const east = mercatorX(b.getEast()) - this.#anchorX;
    const north = mercatorY(b.getNorth()) - this.#anchorY;
    const south = mercatorY(b.getSouth()) - this.#anchorY;
    const ranks = this.#ranks.fill(0);
    const rows = this.#rows;
    const bytes = this.#bytes;
    for (let i = 0, k = 0; i < this.#count; i++, k += FLOATS) {
      const x = rows[k] ?? NOWHERE;
      const y = rows[k + 1] ?? NOWHERE;
      if (x < west || x > east || y < north || y > south) continue;
      const rank = bytes[(k + 4) * 4 + 1] ?? 1;
      ranks[rank] = (ranks[rank] ?? 0) + 1;
    }
    const box = map.getContainer();
    const area = box.clientWidth * box.clientHeight;
    this.#sides = sizes(ranks, area, map.getZoom(), this.#look.u, this.#sides);
  }

  #draw(tools: Tools, map: GLMap, input: CustomRenderMethodInput): void {
    const { gl, at } = tools;
    const { palette, u, lost } = this.#look;
    const ratio = map.getPixelRatio();
    this.#reserve(tools);
    gl.useProgram(tools.program);
    gl.bindVertexArray(tools.vao);
    gl.uniformMatrix4fv(
      at.u_matrix,
      false,
      this.#shifted(input.defaultProjectionData.mainMatrix),
    );
    const [a, b, c] = this.#sides;
    gl.uniform3f(at.u_side, a * ratio, b * ratio, c * ratio);
    gl.uniform1f(at.u_now, (this.#now - this.#clock) / 1000);
    gl.uniform1f(at.u_unit, u * ratio);
    gl.uniform1f(at.u_hollow, lost ? 1 : 0);
    gl.uniform1f(at.u_alpha, this.#alpha);
    gl.uniform2f(at.u_grid, ...tools.grid);
    gl.uniform3f(at.u_mark, ...unit(palette.mark));
    gl.uniform3f(at.u_quiet, ...unit(palette.hatch));
    gl.uniform3f(at.u_dim, ...unit(palette.dot));
    gl.uniform3f(at.u_plate, ...unit(palette.plate));
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, tools.glyphs);
    gl.uniform1i(at.u_glyphs, 0);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.uniform1f(at.u_chosen, 0);
    for (let rank = 2; rank >= 0; rank--) {
      if (this.#ranks[rank] === 0) continue;
      gl.uniform1f(at.u_class, rank);
      gl.drawArrays(gl.POINTS, 0, this.#count);
    }
    const chosen =
      this.#chosen === null ? -1 : this.#points.indexOf(this.#chosen);
    if (chosen >= 0 && chosen < this.#count) {
      gl.uniform1f(at.u_class, -1);
      gl.uniform1f(at.u_chosen, 1);
      gl.drawArrays(gl.POINTS, chosen, 1);
    }
    gl.bindVertexArray(null);
  }

  /** A buffer as large as the rows, filled whole where it is new. */
  #reserve(tools: Tools): void {
    if (tools.room * FLOATS >= this.#rows.length) return;
    const { gl } = tools;
    gl.bindBuffer(gl.ARRAY_BUFFER, tools.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.#rows, gl.DYNAMIC_DRAW);
    tools.room = this.#rows.length / FLOATS;
  }

  #shifted(main: ArrayLike<number>): Float32Array {
    const m = this.#matrix;
    for (let i = 0; i < 16; i++) m[i] = main[i] ?? 0;
    for (let i = 0; i < 4; i++) {
      m[12 + i] =
        (main[i] ?? 0) * this.#anchorX +
        (main[4 + i] ?? 0) * this.#anchorY +
        (main[12 + i] ?? 0);
    }
    return m;
  }

  #make(gl: WebGL2RenderingContext): Tools {
    const program = link(gl);
    const vao = gl.createVertexArray();
    const buffer = gl.createBuffer();
    gl.bindVertexArray(vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const index of [0, 1, 2, 3]) gl.enableVertexAttribArray(index);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, BYTES, 0);
    gl.vertexAttribPointer(1, 1, gl.FLOAT, false, BYTES, 8);
    gl.vertexAttribPointer(2, 1, gl.FLOAT, false, BYTES, 12);
    gl.vertexAttribPointer(3, 4, gl.UNSIGNED_BYTE, false, BYTES, 16);
    gl.bindVertexArray(null);
    const at = Object.fromEntries(
      UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]),
    ) as Tools["at"];
    const ratio = this.#map?.getPixelRatio() ?? 1;
    const { image, columns, rows } = drawGlyphs(
      Math.max(16, Math.round(20 * this.#look.u * ratio)),
    );
    const glyphs = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, glyphs);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image);
    for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
      gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE);
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    const grid: [number, number] = [columns, rows];
    return { gl, program, at, vao, buffer, room: 0, glyphs, grid };
  }
}

function unit(colour: string): [number, number, number] {
  const [r, g, b] = rgb(colour);
  return [r / 255, g / 255, b / 255];
}

/** Throws with the driver's words where a shader does not compile: the map then stands without Things, and the console says why. */
function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  const parts: [number, string][] = [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ];
  for (const [type, source] of parts) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("things: this context makes no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`things: ${gl.getProgramInfoLog(program) ?? "no program"}`);
  }
  return program;
}
