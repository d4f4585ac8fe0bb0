// Colours of others, read so that they can be turned into our greys.

export interface Colour {
  /** 0 to 255. */
  red: number;
  green: number;
  blue: number;
  /** 0 to 1. */
  alpha: number;
}

/** The names that styles use in earnest; any other is no colour to us. */
const NAMED: Record<string, string> = {
  white: "#ffffff",
  black: "#000000",
  grey: "#808080",
  gray: "#808080",
  silver: "#c0c0c0",
  lightgrey: "#d3d3d3",
  lightgray: "#d3d3d3",
  darkgrey: "#a9a9a9",
  darkgray: "#a9a9a9",
  transparent: "#00000000",
};

const CALL = /^(rgba?|hsla?)\(\s*([^)]*)\)$/i;

/** Reads #rgb to #rrggbbaa, rgb(), rgba(), hsl(), hsla() and a few names; null: not a colour. */
export function readColour(text: string): Colour | null {
  const named = NAMED[text.toLowerCase()] ?? text;
  if (named.startsWith("#")) return readHex(named.slice(1));
  const call = CALL.exec(named);
  const name = call?.[1]?.toLowerCase();
  const parts = (call?.[2] ?? "").split(/[\s,/]+/).filter(Boolean);
  if (!name || parts.length < 3) return null;
  const values = parts.map((p) => Number.parseFloat(p));
  if (values.some((v) => Number.isNaN(v))) return null;
  const [a = 0, b = 0, c = 0, d] = values;
  const alpha = d === undefined ? 1 : parts[3]?.endsWith("%") ? d / 100 : d;
  if (name.startsWith("hsl")) return { ...fromHsl(a, b / 100, c / 100), alpha };
  const scale = (part: string | undefined, v: number) =>
    part?.endsWith("%") ? (v * 255) / 100 : v;
  return {
    red: scale(parts[0], a),
    green: scale(parts[1], b),
    blue: scale(parts[2], c),
    alpha,
  };
}

function readHex(hex: string): Colour | null {
  if (!/^[0-9a-f]+$/i.test(hex)) return null;
  const long =
    hex.length === 3 || hex.length === 4 ? hex.replace(/./g, "$&$&") : hex;
  if (long.length !== 6 && long.length !== 8) return null;
  const at = (i: number) => Number.parseInt(long.slice(i, i + 2), 16);
  return {
    red: at(0),
    green: at(2),
    blue: at(4),
    alpha: long.length === 8 ? at(6) / 255 : 1,
  };
}

function fromHsl(hue: number, saturation: number, lightness: number) {
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    const a = saturation * Math.min(lightness, 1 - lightness);
    return 255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return { red: part(0), green: part(8), blue: part(4) };
}

/** How light a colour is, 0 to 1, as the eye weighs it. */
export function luminance({ red, green, blue }: Colour): number {
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** A step of the way from one colour to another, both #rrggbb. */
export function mix(
  from: string,
  to: string,
  share: number,
  alpha = 1,
): string {
  const a = readColour(from);
  const b = readColour(to);
  if (!a || !b) return from;
  const of = (x: number, y: number) => Math.round(x + (y - x) * share);
  return `rgba(${of(a.red, b.red)},${of(a.green, b.green)},${of(a.blue, b.blue)},${alpha})`;
}
