// How a cell is drawn. Each is a fan of triangles whose middle is 0 and whose rim is 1: what lies at a share of the way out is a smaller
// hexagon of the same shape, so that size, outline and colour of a severity need no outline of their own.

export const VERTEX = `#version 300 es
uniform mat4 u_matrix;
uniform highp sampler2D u_state;
uniform bool u_alarms;    // only cells with a severity
layout(location = 0) in vec2 a_place;
layout(location = 1) in vec2 a_cell; // rim, index
flat out vec3 v_state;    // severity, age, lightness in thousandths
out float v_rim;
void main() {
  int i = int(a_cell.y + 0.5);
  v_state = floor(texelFetch(u_state, ivec2(i & 255, i >> 8), 0).xyz * 255.0 + 0.5);
  v_rim = a_cell.x;
  gl_Position = u_alarms && v_state.x < 0.5
    ? vec4(2.0, 2.0, 2.0, 1.0)
    : u_matrix * vec4(a_place, 0.0, 1.0);
}`;

const COMMON = `#version 300 es
precision highp float;
flat in vec3 v_state;
in float v_rim;
uniform float u_unit;     // device pixels of one mock pixel
out vec4 colour;
vec4 over(vec4 below, vec3 ink, float alpha) {
  return vec4(ink * alpha, alpha) + below * (1.0 - alpha);
}
`;

/** The ground: land, dots where it is observed, hatched where it is silent, lighter where many Things are. */
export const GROUND = `${COMMON}
uniform vec2 u_origin;    // where the anchor lies, device pixels
uniform float u_strength; // of dots and hatching
uniform vec3 u_land;
uniform vec3 u_dot;
uniform vec3 u_hatch;
uniform vec3 u_mark;
const float PITCH = 20.0;
const float RADIUS = 1.5;
const float STRIPE = 8.0;
const float STROKE = 3.2;
void main() {
  vec2 p = (gl_FragCoord.xy - u_origin) / u_unit;
  float px = 1.0 / u_unit;
  vec4 c = vec4(u_land, 1.0);
  if (v_state.y > 1.5) {
    float across = abs(mod((p.x - p.y) * 0.70710678, STRIPE) - STRIPE * 0.5);
    c = over(c, u_hatch, u_strength * clamp((STROKE * 0.5 - across) / px + 0.5, 0.0, 1.0));
  } else {
    vec2 first = mod(p, PITCH) - PITCH * 0.25;
    vec2 second = first - PITCH * 0.5;
    float d = min(length(first), length(second)) - RADIUS;
    float strong = v_state.y > 0.5 ? 0.6 : 1.0;
    c = over(c, u_dot, u_strength * strong * clamp(0.5 - d / px, 0.0, 1.0));
  }
  colour = over(c, u_mark, v_state.z / 1000.0);
}`;

/** Severity, by size, outline and colour. */
export const ALARMS = `${COMMON}
uniform vec4 u_fill[6];   // by severity: colour, opacity
uniform vec4 u_line[6];   // colour, width in mock pixels
uniform float u_size[6];  // its share of the cell
void main() {
  int severity = int(v_state.x + 0.5);
  float px = max(1e-6, length(vec2(dFdx(v_rim), dFdy(v_rim))));
  vec4 line = u_line[severity];
  vec4 fill = u_fill[severity];
  float width = 0.5 * line.w * u_unit * px;
  // The line never reaches over the cell's own edge.
  float size = min(u_size[severity], 1.0 - width);
  vec4 c = over(vec4(0.0), fill.rgb, fill.a * clamp((size - v_rim) / px + 0.5, 0.0, 1.0));
  c = over(c, line.rgb, clamp((width - abs(v_rim - size)) / px + 0.5, 0.0, 1.0));
  if (c.a < 0.004) discard;
  colour = c;
}`;
