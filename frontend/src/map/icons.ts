// Glyphs of Things by kind, drawn once per wall size into one atlas that the layer of Things reads.

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
  truck:
    "M3 6h11v10H3ZM14 9h4l3 4v3h-7M7 16a2 2 0 1 0 .1 0M17 16a2 2 0 1 0 .1 0",
  lake_buoy: "M9 13 12 4l3 9M5 13h14l-3 4H8ZM3 20c3-2 6 2 9 0s6 2 9 0",
  road_sensor: "M9 3 5 21M15 3l4 18M12 4v3M12 11v3M12 18v3",
  patrol: "M5 17v-5l2-5h10l2 5v5ZM5 12h14M10 4h4",
  ambulance: "M3 6h12v11H3ZM15 10h4l2 4v3h-6M9 9v5M6.500 11.500h5",
  streetlight: "M8 21V5h7M15 5l3 4h-6l3-4M6 21h4",
  phone: "M8 3h8v18H8ZM11 18h2",
  market: "M4 9l2-5h12l2 5M4 9v11h16V9M4 9c1 3 4 3 5 0 1 3 5 3 6 0 1 3 4 3 5 0",
};
const OTHER = "M12 8a4 4 0 1 0 0 8 4 4 0 1 0 0-8Z";

const CELLS = [OTHER, ...Object.values(GLYPHS)];
const CELL_OF = new Map(Object.keys(GLYPHS).map((kind, i) => [kind, i + 1]));
const COLUMNS = 8;

/** Where a kind's glyph stands in the atlas, row by row; 0 is the glyph of kinds that have none. */
export function glyphCell(kind: string): number {
  return CELL_OF.get(kind) ?? 0;
}

export interface Glyphs {
  image: HTMLCanvasElement;
  columns: number;
  rows: number;
}

/** Draws every glyph in white on nothing, `side` pixels each. */
export function drawGlyphs(side: number): Glyphs {
  const columns = COLUMNS;
  const rows = Math.ceil(CELLS.length / COLUMNS);
  const image = document.createElement("canvas");
  image.width = columns * side;
  image.height = rows * side;
  const ink = image.getContext("2d");
  if (ink) {
    ink.lineWidth = 2.2;
    ink.lineCap = "round";
    ink.lineJoin = "round";
    ink.strokeStyle = "#ffffff";
    CELLS.forEach((glyph, i) => {
      const scale = side / 24;
      const x = (i % columns) * side;
      const y = Math.floor(i / columns) * side;
      ink.setTransform(scale, 0, 0, scale, x, y);
      ink.stroke(new Path2D(glyph));
    });
  }
  return { image, columns, rows };
}
