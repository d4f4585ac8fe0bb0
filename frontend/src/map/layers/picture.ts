// The map as it stands while its camera does: once without and once with what lies above the Things. A frame in which only Things moved
// is then the second picture, the Things, and over them whatever differs between the two (words, rings): the map's own forty layers and
// the placing of its words are not gone through again four times a second.
import { link } from "./program";

const VERTEX = `#version 300 es
void main() {
  vec2 p = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  gl_Position = vec4(p * 2.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_below;
uniform sampler2D u_whole;
uniform bool u_all;
out vec4 colour;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  colour = texelFetch(u_whole, at, 0);
  if (!u_all && colour == texelFetch(u_below, at, 0)) discard;
}`;

export class Picture {
  readonly gl: WebGL2RenderingContext;
  #program: WebGLProgram;
  #vao: WebGLVertexArrayObject;
  #below: WebGLTexture;
  #whole: WebGLTexture;
  #all: WebGLUniformLocation | null;
  #width = 0;
  #height = 0;
  #complete = false;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.#program = link(gl, "picture", VERTEX, FRAGMENT);
    this.#vao = gl.createVertexArray();
    this.#below = texture(gl);
    this.#whole = texture(gl);
    gl.useProgram(this.#program);
    gl.uniform1i(gl.getUniformLocation(this.#program, "u_below"), 0);
    gl.uniform1i(gl.getUniformLocation(this.#program, "u_whole"), 1);
    this.#all = gl.getUniformLocation(this.#program, "u_all");
  }

  /** What it holds is no longer what the map shows. */
  forget(): void {
    this.#complete = false;
  }

  /** It holds the map at the size that the map has now. */
  get holds(): boolean {
    const { drawingBufferWidth, drawingBufferHeight } = this.gl;
    return (
      this.#complete &&
      this.#width === drawingBufferWidth &&
      this.#height === drawingBufferHeight &&
      !this.gl.isContextLost()
    );
  }

  /** Takes what is drawn so far: all that lies below the Things. */
  takeBelow(): void {
    const { drawingBufferWidth, drawingBufferHeight } = this.gl;
    this.#width = drawingBufferWidth;
    this.#height = drawingBufferHeight;
    this.#complete = false;
    this.#copy(this.#below);
  }

  /** Takes the map without its Things. */
  takeWhole(): void {
    this.#copy(this.#whole);
    this.#complete = true;
  }

  #copy(into: WebGLTexture): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, into);
    gl.copyTexImage2D(
      gl.TEXTURE_2D,
      0,
      gl.RGBA,
      0,
      0,
      this.#width,
      this.#height,
      0,
    );
  }

  /** The frame of our own begins with the map as it was. */
  lay(): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, this.#width, this.#height);
    gl.disable(gl.SCISSOR_TEST);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.colorMask(true, true, true, true);
    gl.depthMask(false);
    this.#draw(true);
  }

  /** What lies above the Things, over them. */
  cover(): void {
    this.#draw(false);
  }

  #draw(all: boolean): void {
    const { gl } = this;
    gl.useProgram(this.#program);
    gl.bindVertexArray(this.#vao);
    gl.uniform1i(this.#all, all ? 1 : 0);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#whole);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.#below);
    gl.disable(gl.BLEND);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindVertexArray(null);
  }

  drop(): void {
    const { gl } = this;
    gl.deleteTexture(this.#below);
    gl.deleteTexture(this.#whole);
    gl.deleteVertexArray(this.#vao);
    gl.deleteProgram(this.#program);
  }
}

function texture(gl: WebGL2RenderingContext): WebGLTexture {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return made;
}
