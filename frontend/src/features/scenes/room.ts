// How many rows of what there is room for in the rail, in pixels of the composition. Pure: larger text leaves fewer rows.

/** Heights as their components draw them. */
const HIGH = {
  body: 864,
  frame: 52,
  strip: 116,
  focus: 388,
  coming: 54,
  row: 51,
  quiet: 250,
  ages: 96,
  age: 41,
  units: 116,
  tile: 62,
  line: 47,
} as const;

export interface Asked {
  /** By how much the composition is drawn larger. */
  scale: number;
  /** Without a map the rail is the picture: its columns, of text that is drawn larger; 0: it stands beside a map. */
  columns?: number;
  framed: boolean;
  focus: boolean;
  coming: number;
  /** How many lines each tile beside the incidents has to say. */
  tiles: readonly number[];
  units: boolean;
  incidents: number;
  /** Warnings that are in force. */
  warnings: number;
}

export interface Rows {
  /** Of the list of incidents. */
  list: number;
  /** Of the ages of the sources, where no incident is open. */
  ages: number;
  /** Of each tile. */
  tile: number;
  /** Warnings stand in a strip of their own while it takes no row from an incident. */
  strip: boolean;
}

/** By how much text is larger where there is no map (Rail.svelte). */
const LARGER = 1.25;

const MOST = 7;
const LEAST = 2;

export function rowsOf(a: Asked): Rows {
  // All of the height but the header and the footer, which grow with the text.
  const high =
    1080 / a.scale -
    (1080 - HIGH.body) -
    (a.framed ? HIGH.frame : 0) -
    (a.units ? HIGH.units : 0);
  const columns = a.columns ?? 0;
  // What does not break leaves part of a column's foot empty.
  const body =
    columns > 0 ? (high * columns) / LARGER - (columns - 1) * HIGH.tile : high;
  const fixed = a.focus ? HIGH.focus + (a.coming > 0 ? HIGH.coming : 0) : 0;
  const tall = (lines: number) =>
    a.tiles.reduce(
      (sum, n) => sum + HIGH.tile + HIGH.line * Math.max(1, Math.min(n, lines)),
      0,
    );
  const least = a.incidents > 0 ? Math.min(a.incidents, LEAST) * HIGH.row : 0;
  let tile = (a.focus || a.incidents > 0) && columns === 0 ? 3 : MOST;
  while (tile > 1 && fixed + tall(tile) + least > body) tile--;
  const left = body - fixed - tall(tile);
  const list = Math.min(MOST, Math.max(1, Math.floor(left / HIGH.row)));
  const spare = left - Math.min(list, a.incidents) * HIGH.row;
  const strip = a.warnings > 0 && spare >= HIGH.strip && a.tiles.length === 0;
  const ages = Math.floor(
    (left - HIGH.quiet - HIGH.ages - (strip ? HIGH.strip : 0)) / HIGH.age,
  );
  return { list, ages: Math.max(2, Math.min(11, ages)), tile, strip };
}
