// Reads a PNG of 8-bit RGB or RGBA without interlacing, as browsers write them (PNG, third edition, sections 9 and 10).
import { inflateSync } from "node:zlib";

/** {width, height, at(x, y)}: the pixel as [red, green, blue]. */
export function readPng(file) {
  let at = 8;
  let width = 0;
  let height = 0;
  let step = 4;
  const parts = [];
  while (at < file.length) {
    const size = file.readUInt32BE(at);
    const name = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + size);
    if (name === "IHDR") {
      width = body.readUInt32BE(0);
      height = body.readUInt32BE(4);
      step = body[9] === 2 ? 3 : 4;
      if (body[8] !== 8 || (body[9] !== 2 && body[9] !== 6) || body[12] !== 0)
        throw new Error("a PNG of another kind");
    } else if (name === "IDAT") parts.push(body);
    at += 12 + size;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const row = width * step;
  const out = Buffer.alloc(height * row);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x < step ? 0 : out[y * row + x - step];
      const up = y === 0 ? 0 : out[(y - 1) * row + x];
      const corner = x < step || y === 0 ? 0 : out[(y - 1) * row + x - step];
      const by = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][
        filter
      ];
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + by;
    }
  }
  return {
    width,
    height,
    at: (x, y) => {
      const i = y * row + x * step;
      return [out[i], out[i + 1], out[i + 2]];
    },
  };
}

function paeth(a, b, c) {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
