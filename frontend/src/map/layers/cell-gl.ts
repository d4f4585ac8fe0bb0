// What the layers of cells own in the map's WebGL2 context: two programs, the outlines and the texels of what they show.
import type { Severity } from "../../wire/wire";
import type { Palette } from "../palette";
import { unit } from "../patterns";
import { ACROSS, CELL_FLOATS, type CellRows } from "./cell-rows";
import { ALARMS, GROUND, VERTEX } from "./cell-shaders";
import { HEX_K, SEVERITIES } from "./cells";
import { shifted } from "./mercator";
import { link } from "./program";

const BYTES = CELL_FLOATS * 4;

export interface CellLook {
  palette: Palette;
  u: number;
  still: boolean;
  /** How strong dots and hatching are drawn, 0 to 1. */
  strength: number;
}

/** Mock pixels and opacities of what a severity is drawn with (mock notes, colour vision). */
const LINE_PX: Record<Severity, number> = {
  Extreme: 2,
  Severe: 1.2,
  Moderate: 1.5,
  Unknown: 1.2,
  Minor: 1.2,
};
const FILL: Record<Severity, number> = {
  Extreme: 0.75,
  Severe: 0.6,
  Moderate: 0.25,
  Unknown: 0,
  Minor: 0,
};

function inks(p: Palette): Record<Severity, { fill: string; line: string }> {
  return {
    Extreme: { fill: p.hex1, line: p.markLine },
    Severe: { fill: p.hex2, line: p.hex2 },
    Moderate: { fill: p.hex3, line: p.hex3 },
    Unknown: { fill: p.hexUnknown, line: p.hexUnknown },
    Minor: { fill: p.hex4, line: p.hex4 },
  };
}

export class CellTools {
  readonly gl: WebGL2RenderingContext;
  #ground: WebGLProgram;
  #alarms: WebGLProgram;
  #places = new Map<WebGLProgram, Map<string, WebGLUniformLocation | null>>();
  #vao: WebGLVertexArrayObject;
  #buffer: WebGLBuffer;
  #state: WebGLTexture;
  readonly #matrix = new Float32Array(16);

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.#ground = link(gl, "cells", VERTEX, GROUND);
    this.#alarms = link(gl, "cell alarms", VERTEX, ALARMS);
    this.#vao = gl.createVertexArray();
    this.#buffer = gl.createBuffer();
    gl.bindVertexArray(this.#vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    for (const index of [0, 1]) {
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, 2, gl.FLOAT, false, BYTES, 8 * index);
    }
    gl.bindVertexArray(null);
    this.#state = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.#state);
    for (const edge of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, edge, gl.NEAREST);
  }

  drop(): void {
    const { gl } = this;
    gl.deleteBuffer(this.#buffer);
    gl.deleteVertexArray(this.#vao);
    gl.deleteTexture(this.#state);
    gl.deleteProgram(this.#ground);
    gl.deleteProgram(this.#alarms);
  }

  /** The outlines are others. */
  outline({ vertices, count }: CellRows): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    const used = vertices.subarray(0, count * CELL_FLOATS);
    gl.bufferData(gl.ARRAY_BUFFER, used, gl.STATIC_DRAW);
  }

  /** What the cells show is something else. */
  tell({ texels, rows }: CellRows): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#state);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      gl.RGBA8,
      ACROSS,
      rows,
      0,
      gl.RGBA,
      gl.UNSIGNED_BYTE,
      texels,
    );
  }

  /** `ratio`: device pixels of one CSS pixel; `origin`: where the anchor lies, device pixels from the lower left corner. */
  ground(
    rows: CellRows,
    look: CellLook,
    ratio: number,
    main: ArrayLike<number>,
    origin: readonly [number, number],
  ): void {
    const { gl } = this;
    const { palette } = look;
    const at = this.#begin(this.#ground, rows, look, ratio, main);
    gl.uniform1i(at("u_alarms"), 0);
    gl.uniform2f(at("u_origin"), ...origin);
    gl.uniform1f(at("u_strength"), look.strength);
    gl.uniform3f(at("u_land"), ...unit(palette.land));
    gl.uniform3f(at("u_dot"), ...unit(palette.dot));
    gl.uniform3f(at("u_hatch"), ...unit(palette.hatch));
    gl.uniform3f(at("u_mark"), ...unit(palette.mark));
    this.#end(rows);
  }

  alarms(
    rows: CellRows,
    look: CellLook,
    ratio: number,
    main: ArrayLike<number>,
  ): void {
    const { gl } = this;
    const at = this.#begin(this.#alarms, rows, look, ratio, main);
    gl.uniform1i(at("u_alarms"), 1);
    const ink = inks(look.palette);
    const fills = [0, 0, 0, 0];
    const lines = [0, 0, 0, 0];
    const sizes = [0];
    for (const severity of SEVERITIES) {
      fills.push(...unit(ink[severity].fill), FILL[severity]);
      lines.push(...unit(ink[severity].line), LINE_PX[severity]);
      sizes.push(HEX_K[severity]);
    }
    gl.uniform4fv(at("u_fill"), fills);
    gl.uniform4fv(at("u_line"), lines);
    gl.uniform1fv(at("u_size"), sizes);
    this.#end(rows);
  }

  #begin(
    program: WebGLProgram,
    rows: CellRows,
    { u }: CellLook,
    ratio: number,
    main: ArrayLike<number>,
  ): (name: string) => WebGLUniformLocation | null {
    const { gl } = this;
    const places =
      this.#places.get(program) ??
      new Map<string, WebGLUniformLocation | null>();
    this.#places.set(program, places);
    const at = (name: string): WebGLUniformLocation | null => {
      const known = places.get(name);
      if (known !== undefined) return known;
      const place = gl.getUniformLocation(program, name);
      places.set(name, place);
      return place;
    };
    gl.useProgram(program);
    gl.bindVertexArray(this.#vao);
    shifted(this.#matrix, main, rows.anchorX, rows.anchorY);
    gl.uniformMatrix4fv(at("u_matrix"), false, this.#matrix);
    gl.uniform1f(at("u_unit"), u * ratio);
    gl.uniform1i(at("u_state"), 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#state);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    return at;
  }

  #end(rows: CellRows): void {
    this.gl.drawArrays(this.gl.TRIANGLES, 0, rows.count);
    this.gl.bindVertexArray(null);
  }
}
