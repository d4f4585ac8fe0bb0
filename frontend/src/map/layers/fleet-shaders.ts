// How a Thing is drawn: a dot or arrowhead while small, a plate with its glyph and a heading caret when there is room.
// Achromatic throughout: a Thing is not an alarm. Fresh is filled or solid, stale is hollow and dashed, lost is all hollow.

export const VERTEX = `#version 300 es
uniform mat4 u_matrix;
uniform vec3 u_side;      // plate side by prominence, device pixels
uniform float u_now;      // seconds, on the clock of a_stale
uniform float u_class;    // the prominence drawn in this pass; below 0: all
uniform float u_chosen;   // 1: the chosen Thing alone
layout(location = 0) in vec2 a_place;
layout(location = 1) in float a_heading;
layout(location = 2) in float a_stale;
layout(location = 3) in vec4 a_look; // glyph cell, prominence
flat out vec4 v_look;     // plate side, sprite side, stale, glyph cell
flat out vec4 v_turn;     // cos, sin, known, prominence
void main() {
  float rank = a_look.y;
  if (a_place.x > 8.0 || (u_class >= 0.0 && abs(rank - u_class) > 0.5)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 1.0;
    return;
  }
  float side = rank < 0.5 ? u_side.x : rank < 1.5 ? u_side.y : u_side.z;
  float sprite = side * (a_heading >= 0.0 ? 1.9 : 1.15) + 2.0;
  if (u_chosen > 0.5) sprite = max(side * 2.0, side + 24.0) + 8.0;
  float turn = radians(max(a_heading, 0.0));
  v_look = vec4(side, sprite, a_stale < u_now ? 1.0 : 0.0, a_look.x);
  v_turn = vec4(cos(turn), sin(turn), a_heading >= 0.0 ? 1.0 : 0.0, rank);
  gl_Position = u_matrix * vec4(a_place, 0.0, 1.0);
  gl_PointSize = sprite;
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_glyphs;
uniform vec2 u_grid;      // columns, rows of the atlas
uniform float u_unit;     // device pixels of one mock pixel
uniform float u_hollow;   // 1: the picture has stopped
uniform float u_alpha;
uniform float u_chosen;
uniform vec3 u_mark;
uniform vec3 u_quiet;
uniform vec3 u_dim;
uniform vec3 u_plate;
flat in vec4 v_look;
flat in vec4 v_turn;
out vec4 colour;

float box(vec2 p, float half_, float round_) {
  vec2 q = abs(p) - vec2(half_ - round_);
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - round_;
}
// A triangle with its tip at -y.
float caret(vec2 p, float tip, float foot, float breadth) {
  vec2 q = vec2(abs(p.x), p.y);
  vec2 edge = vec2(breadth, foot - tip);
  vec2 normal = normalize(vec2(edge.y, -edge.x));
  return max(dot(q - vec2(0.0, tip), normal), q.y - foot);
}
float inside(float d) { return clamp(0.5 - d, 0.0, 1.0); }
vec4 over(vec4 below, vec3 ink, float alpha) {
  return vec4(ink * alpha, alpha) + below * (1.0 - alpha);
}

void main() {
  float side = v_look.x;
  vec2 p = (gl_PointCoord - 0.5) * v_look.y;
  // Up is -y; the turned frame has the heading straight up.
  vec2 t = vec2(v_turn.x * p.x + v_turn.y * p.y, v_turn.x * p.y - v_turn.y * p.x);
  bool heads = v_turn.z > 0.5;
  bool hollow = v_look.z > 0.5 || u_hollow > 0.5;
  vec3 ink = hollow ? u_quiet : u_mark;
  vec4 c = vec4(0.0);
  if (u_chosen > 0.5) {
    float r = v_look.y * 0.5 - 3.0 * u_unit;
    float ring = abs(length(p) - r);
    c = over(c, u_plate, inside(ring - 3.2 * u_unit));
    c = over(c, u_mark, inside(ring - 1.6 * u_unit));
  }
  if (side < 16.5 * u_unit) {
    // Marks without room for a glyph are ground, not news: nothing of them is as bright as a word.
    ink = v_turn.w > 1.5 ? mix(u_dim, u_quiet, 0.45) : hollow ? u_dim : u_quiet;
    float d = heads
      ? caret(t, -side * 0.72, side * 0.48, side * 0.52)
      : length(p) - min(side * 0.42, 4.2 * u_unit);
    c = over(c, u_plate, inside(d - (v_turn.w > 1.5 ? 0.8 : 1.4) * u_unit));
    if (hollow) {
      c = over(c, ink, inside(abs(d) - 0.75 * u_unit));
    } else {
      c = over(c, ink, inside(d));
    }
  } else {
    float half_ = side * 0.5 - 1.0;
    if (heads) {
      float d = caret(t, -half_ * 1.72, -half_ * 0.6, half_ * 0.78);
      c = over(c, u_plate, inside(d - 1.6 * u_unit));
      c = over(c, ink, hollow ? inside(abs(d + u_unit) - u_unit) : inside(d));
    }
    float d = box(p, half_, side * 0.17);
    c = over(c, u_plate, inside(d));
    float along = abs(p.x) > abs(p.y) ? p.y : p.x;
    float dash = hollow && mod(along + 2.0 * u_unit, 7.0 * u_unit) > 4.0 * u_unit ? 0.0 : 1.0;
    c = over(c, ink, dash * inside(abs(d + u_unit) - u_unit));
    vec2 g = p / (side * 0.68) + 0.5;
    if (g.x > 0.0 && g.x < 1.0 && g.y > 0.0 && g.y < 1.0) {
      vec2 cell = vec2(mod(v_look.w, u_grid.x), floor(v_look.w / u_grid.x));
      c = over(c, ink, texture(u_glyphs, (cell + g) / u_grid).a);
    }
  }
  if (c.a < 0.004) discard;
  colour = c * u_alpha;
}`;
