// Plus Codes (Open Location Code 1.0): a full code of ten letters is a square of about 14 m.
import type { Point } from "./coordinates";

const LETTERS = "23456789CFGHJMPQRVWX";
const PAIRS = 5;

/** The middle of a full code's square; null where the text is no full code. Short codes need a place near by and are not read. */
export function decodePlus(text: string): Point | null {
  const found = /^([2-9CFGHJMPQRVWX]{8})\+([2-9CFGHJMPQRVWX]{2,3})?$/i.exec(
    text.trim(),
  );
  if (!found) return null;
  const code = `${found[1] ?? ""}${(found[2] ?? "").slice(0, 2)}`.toUpperCase();
  let lat = -90;
  let lng = -180;
  let step = 20;
  for (let i = 0; i < code.length; i += 2) {
    lat += LETTERS.indexOf(code.charAt(i)) * step;
    lng += LETTERS.indexOf(code.charAt(i + 1)) * step;
    if (i + 2 < code.length) step /= 20;
  }
  return { lat: lat + step / 2, lng: lng + step / 2 };
}

/** The full code of ten letters. */
export function encodePlus({ lat, lng }: Point): string {
  // Whole numbers of the smallest step, 1/8000 of a degree, so that no rounding falls between letters.
  let y = Math.floor((Math.min(Math.max(lat, -90), 89.999_9) + 90) * 8000);
  let x = Math.floor((((lng % 360) + 540) % 360) * 8000);
  let code = "";
  for (let i = 0; i < PAIRS; i++) {
    code = LETTERS.charAt(y % 20) + LETTERS.charAt(x % 20) + code;
    y = Math.floor(y / 20);
    x = Math.floor(x / 20);
  }
  return `${code.slice(0, 8)}+${code.slice(8)}`;
}
