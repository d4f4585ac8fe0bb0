// What the layer of Things owns in the map's WebGL2 context: its program, its buffer and its glyphs.
import { drawGlyphs } from "../icons";
import type { Palette } from "../palette";
import { unit } from "../patterns";
import { FLOATS, type FleetRows } from "./fleet-rows";
import { FRAGMENT, VERTEX } from "./fleet-shaders";
import type { Sides } from "./fleet-size";
import { shifted } from "./mercator";
import { link } from "./program";

const BYTES = FLOATS * 4;
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

type Uniforms = Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;

export interface FleetLook {
  palette: Palette;
  u: number;
  lost: boolean;
  still: boolean;
}

/** What one drawing needs beside the rows. */
export interface Drawing {
  look: FleetLook;
  /** Device pixels of one CSS pixel. */
  ratio: number;
  /** The map's matrix from shares of the world to clip space. */
  main: ArrayLike<number>;
  sides: Sides;
  /** Things in view by prominence: a prominence without any is not drawn. */
  ranks: ArrayLike<number>;
  now: number;
  alpha: number;
  /** Index of the chosen Thing, or -1. */
  chosen: number;
}

export class FleetTools {
  readonly gl: WebGL2RenderingContext;
  #program: WebGLProgram;
  #at: Uniforms;
  #vao: WebGLVertexArrayObject;
  #buffer: WebGLBuffer;
  /** Things that the buffer has room for. */
  #room = 0;
  #glyphs: WebGLTexture;
  #grid: [number, number];
  readonly #matrix = new Float32Array(16);

  /** `glyph`: side of a glyph in device pixels. */
  constructor(gl: WebGL2RenderingContext, glyph: number) {
    this.gl = gl;
    this.#program = link(gl, "things", VERTEX, FRAGMENT);
    this.#vao = gl.createVertexArray();
    this.#buffer = gl.createBuffer();
    gl.bindVertexArray(this.#vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    for (const index of [0, 1, 2, 3]) gl.enableVertexAttribArray(index);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, BYTES, 0);
    gl.vertexAttribPointer(1, 1, gl.FLOAT, false, BYTES, 8);
    gl.vertexAttribPointer(2, 1, gl.FLOAT, false, BYTES, 12);
    gl.vertexAttribPointer(3, 4, gl.UNSIGNED_BYTE, false, BYTES, 16);
    gl.bindVertexArray(null);
    this.#at = Object.fromEntries(
      UNIFORMS.map((name) => [
        name,
        gl.getUniformLocation(this.#program, name),
      ]),
    ) as Uniforms;
    const { image, columns, rows } = drawGlyphs(glyph);
    this.#glyphs = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#glyphs);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image);
    for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
      gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE);
    }
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    this.#grid = [columns, rows];
  }

  drop(): void {
    const { gl } = this;
    gl.deleteBuffer(this.#buffer);
    gl.deleteVertexArray(this.#vao);
    gl.deleteTexture(this.#glyphs);
    gl.deleteProgram(this.#program);
  }

  /** Rows that changed; a buffer that is too small for them is filled whole when it is drawn. */
  upload(rows: Float32Array, from: number, to: number): void {
    if (this.#room * FLOATS < rows.length) return;
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.bufferSubData(
      gl.ARRAY_BUFFER,
      from * BYTES,
      rows,
      from * FLOATS,
      (to - from) * FLOATS,
    );
  }

  draw(rows: FleetRows, d: Drawing): void {
    const { gl } = this;
    const at = this.#at;
    const { palette, u, lost } = d.look;
    this.#reserve(rows.rows);
    gl.useProgram(this.#program);
    gl.bindVertexArray(this.#vao);
    shifted(this.#matrix, d.main, rows.anchorX, rows.anchorY);
    gl.uniformMatrix4fv(at.u_matrix, false, this.#matrix);
    const [a, b, c] = d.sides;
    gl.uniform3f(at.u_side, a * d.ratio, b * d.ratio, c * d.ratio);
    gl.uniform1f(at.u_now, (d.now - rows.clock) / 1000);
    gl.uniform1f(at.u_unit, u * d.ratio);
    gl.uniform1f(at.u_hollow, lost ? 1 : 0);
    gl.uniform1f(at.u_alpha, d.alpha);
    gl.uniform2f(at.u_grid, ...this.#grid);
    gl.uniform3f(at.u_mark, ...unit(palette.mark));
    gl.uniform3f(at.u_quiet, ...unit(palette.hatch));
    gl.uniform3f(at.u_dim, ...unit(palette.dot));
    gl.uniform3f(at.u_plate, ...unit(palette.plate));
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#glyphs);
    gl.uniform1i(at.u_glyphs, 0);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.uniform1f(at.u_chosen, 0);
    for (let rank = 2; rank >= 0; rank--) {
      if (d.ranks[rank] === 0) continue;
      gl.uniform1f(at.u_class, rank);
      gl.drawArrays(gl.POINTS, 0, rows.count);
    }
    if (d.chosen >= 0 && d.chosen < rows.count) {
      gl.uniform1f(at.u_class, -1);
      gl.uniform1f(at.u_chosen, 1);
      gl.drawArrays(gl.POINTS, d.chosen, 1);
    }
    gl.bindVertexArray(null);
  }

  /** A buffer as large as the rows, filled whole where it is new. */
  #reserve(rows: Float32Array): void {
    if (this.#room * FLOATS >= rows.length) return;
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.bufferData(gl.ARRAY_BUFFER, rows, gl.DYNAMIC_DRAW);
    this.#room = rows.length / FLOATS;
  }
}
