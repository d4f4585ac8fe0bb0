/** Throws with the driver's words where a shader does not compile: the map then stands without what it draws, and the console says why. */
export function link(
  gl: WebGL2RenderingContext,
  name: string,
  vertex: string,
  fragment: string,
): WebGLProgram {
  const program = gl.createProgram();
  const parts: [number, string][] = [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ];
  for (const [type, source] of parts) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error(`${name}: this context makes no shader`);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(
      `${name}: ${gl.getProgramInfoLog(program) ?? "no program"}`,
    );
  }
  return program;
}
