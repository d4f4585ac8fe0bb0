// Textures of the map, made in memory: no sprite, no file. Sizes are in mock pixels (1920 wide); `scale` carries them to this wall.

export interface Texture {
  width: number;
  height: number;
  data: Uint8ClampedArray;
  pixelRatio: number;
}

type Shade = (x: number, y: number) => number;

function paint(
  size: number,
  scale: number,
  ratio: number,
  colour: string,
  shade: Shade,
): Texture {
  const side = Math.max(4, Math.round(size * scale * ratio));
  const data = new Uint8ClampedArray(side * side * 4);
  const [r, g, b] = rgb(colour);
  const SUB = 4; // samples per side of a pixel: smooth edges without a canvas
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let i = 0; i < SUB * SUB; i++) {
        const px = ((x + ((i % SUB) + 0.5) / SUB) / side) * size;
        const py = ((y + (Math.floor(i / SUB) + 0.5) / SUB) / side) * size;
        sum += shade(px, py);
      }
      const alpha = sum / (SUB * SUB);
      const at = (y * side + x) * 4;
      // Premultiplied is MapLibre's business: it wants straight colour.
      data.set([r, g, b, Math.round(alpha * 255)], at);
    }
  }
  return { width: side, height: side, data, pixelRatio: ratio };
}

export function rgb(colour: string): [number, number, number] {
  const hex = Number.parseInt(colour.slice(1, 7), 16);
  return [(hex >> 16) & 255, (hex >> 8) & 255, hex & 255];
}

/** As rgb(), for a shader: each 0 to 1. */
export function unit(colour: string): [number, number, number] {
  const [r, g, b] = rgb(colour);
  return [r / 255, g / 255, b / 255];
}

/** Stripes at 45 degrees; pitch and stroke measured across the stripe. `back`: leaning the other way. */
export function hatch(
  pitch: number,
  stroke: number,
  colour: string,
  scale: number,
  ratio: number,
  back = false,
): Texture {
  const size = pitch * Math.SQRT2;
  const width = stroke * Math.SQRT2;
  return paint(size, scale, ratio, colour, (x, y) =>
    (back ? x + size - y : x + y) % size < width ? 1 : 0,
  );
}

/** A lattice of dots, every other row shifted by half. */
export function lattice(
  pitch: number,
  radius: number,
  colour: string,
  scale: number,
  ratio: number,
): Texture {
  const half = pitch / 2;
  const quarter = pitch / 4;
  return paint(pitch, scale, ratio, colour, (x, y) => {
    const first = Math.hypot(x - quarter, y - quarter);
    const second = Math.hypot(x - quarter - half, y - quarter - half);
    return Math.min(first, second) < radius ? 1 : 0;
  });
}
