// Marks of Things, drawn once per wall size. Fresh: a filled plate. Stale: hollow and dashed, so that age shows without colour.
import type { Palette } from "./palette";

/** Line drawings on a 24 x 24 grid, by kind. */
const GLYPHS: Record<string, string> = {
  river_gauge:
    "M6 3v18M6 6h4M6 11h5M6 16h4M13 17c2-2 4 2 7 0M14 12c2-2 4 2 6 0",
  rain_gauge:
    "M7 13a4 4 0 0 1 0-8 5 5 0 0 1 9.5 1A3.5 3.5 0 0 1 17 13ZM8 17v3M12 18v3M16 17v3",
  weather_station: "M4 9h10a3 3 0 1 0-3-3M4 14h14a3 3 0 1 1-3 3M4 19h6",
  seismometer: "M3 12h4l2-6 4 12 2-6h6",
  air_quality: "M4 8h11M4 12h16M4 16h9M18 8h2M16 16h4",
  camera: "M3 8h11v9H3ZM14 11l6-3v9l-6-3",
  bus: "M5 4h14v12H5ZM5 11h14M8 16v3M16 16v3",
  facility: "M4 20V9l8-5 8 5v11ZM10 20v-6h4v6",
  unit: "M5 7h9v9H5ZM14 10h4l2 3v3h-6M8 19v-3M17 19v-3",
  volcano: "M3 20 9 8h6l6 12ZM10 4l2 2 2-2",
};
const OTHER = "M12 8a4 4 0 1 0 0 8 4 4 0 1 0 0-8Z";

export const KINDS = Object.keys(GLYPHS);
export const ICON_PX = 30;

export function iconName(kind: string, fresh: boolean): string {
  const drawn = kind in GLYPHS ? kind : "other";
  return `thing-${drawn}-${fresh ? "fresh" : "stale"}`;
}

export interface Icon {
  name: string;
  image: ImageData;
  pixelRatio: number;
}

/** Draws all of them; empty where this browser gives no canvas. */
export function drawIcons(palette: Palette, u: number, ratio: number): Icon[] {
  const icons: Icon[] = [];
  for (const kind of [...KINDS, "other"]) {
    for (const fresh of [true, false]) {
      const image = drawIcon(GLYPHS[kind] ?? OTHER, fresh, palette, u * ratio);
      if (!image) return icons;
      icons.push({ name: iconName(kind, fresh), image, pixelRatio: ratio });
    }
  }
  return icons;
}

function drawIcon(
  glyph: string,
  fresh: boolean,
  palette: Palette,
  scale: number,
): ImageData | null {
  const side = Math.max(8, Math.round(ICON_PX * scale));
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const ink = canvas.getContext("2d");
  if (!ink) return null;
  ink.scale(side / ICON_PX, side / ICON_PX);
  ink.beginPath();
  ink.roundRect(2, 2, ICON_PX - 4, ICON_PX - 4, 5);
  ink.fillStyle = palette.plate;
  ink.fill();
  ink.lineWidth = fresh ? 2 : 2.2;
  ink.strokeStyle = fresh ? palette.mark : palette.hatch;
  if (!fresh) ink.setLineDash([4, 3]);
  ink.stroke();
  ink.setLineDash([]);
  ink.translate(5, 5);
  ink.scale(20 / 24, 20 / 24);
  ink.lineWidth = 2.2;
  ink.lineCap = "round";
  ink.lineJoin = "round";
  ink.strokeStyle = fresh ? palette.mark : palette.hatch;
  ink.stroke(new Path2D(glyph));
  return ink.getImageData(0, 0, side, side);
}
