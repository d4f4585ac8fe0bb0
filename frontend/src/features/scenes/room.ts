// How many rows of what there is room for in the rail, in pixels of the composition. Pure: larger text leaves fewer rows.

/** Heights as their components draw them. */
const HIGH = {
  screen: 1080,
  body: 864,
  /** Of a screen that is mounted upright, and what its header and its footer of three rows leave. */
  upright: 1920,
  uprightBody: 1360,
  controls: 62,
  frame: 52,
  strip: 116,
  focus: 388,
  evidence: 46,
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
  /** Without a map on a screen that is mounted upright it is as high as that. */
  upright?: boolean;
  /** The wall's controls stand at the foot of a picture without a map. */
  controls?: boolean;
  framed: boolean;
  focus: boolean;
  /** How many lines of evidence are in focus; left out: as many as are shown. */
  evidence?: number;
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
  /** Of the ages below a list that is short; 0: there is no room for them. */
  spare: number;
  /** Of each tile. */
  tile: number;
  /** Warnings stand in a strip of their own while it takes no row from an incident. */
  strip: boolean;
}

/** By how much text is larger where there is no map (Rail.svelte). */
const LARGER = 1.25;

const MOST = 7;
const LEAST = 2;
const EVIDENCE = 3;
const AGES = 11;

export function rowsOf(a: Asked): Rows {
  const columns = a.columns ?? 0;
  const [screen, body] =
    columns > 0 && a.upright
      ? [HIGH.upright, HIGH.uprightBody]
      : [HIGH.screen, HIGH.body];
  // All of the height but the header and the footer, which grow with the text.
  const high =
    screen / a.scale -
    (screen - body) -
    (a.framed ? HIGH.frame : 0) -
    (a.units ? HIGH.units : 0) -
    (columns > 0 && a.controls ? HIGH.controls : 0);
  // What does not break leaves part of a column's foot empty.
  const room =
    columns > 0 ? (high * columns) / LARGER - (columns - 1) * HIGH.tile : high;
  const unsaid =
    EVIDENCE - Math.min(EVIDENCE, Math.max(1, a.evidence ?? EVIDENCE));
  const fixed = a.focus
    ? HIGH.focus - unsaid * HIGH.evidence + (a.coming > 0 ? HIGH.coming : 0)
    : 0;
  const tall = (lines: number) =>
    a.tiles.reduce(
      (sum, n) => sum + HIGH.tile + HIGH.line * Math.max(1, Math.min(n, lines)),
      0,
    );
  const rowsFor = (most: number) => Math.min(a.incidents, most) * HIGH.row;
  let tile = MOST;
  // Beside a map incidents come first: tiles have more than three lines only where the whole list stands.
  while (columns === 0 && tile > 3 && fixed + tall(tile) + rowsFor(MOST) > room)
    tile--;
  while (tile > 1 && fixed + tall(tile) + rowsFor(LEAST) > room) tile--;
  const left = room - fixed - tall(tile);
  const list = Math.min(MOST, Math.max(1, Math.floor(left / HIGH.row)));
  const under = left - rowsFor(list);
  const strip = a.warnings > 0 && under >= HIGH.strip && a.tiles.length === 0;
  const ages = (free: number) =>
    Math.min(
      AGES,
      Math.floor((free - HIGH.ages - (strip ? HIGH.strip : 0)) / HIGH.age),
    );
  return {
    list,
    ages: Math.max(2, ages(left - HIGH.quiet)),
    spare: a.tiles.length > 0 ? 0 : Math.max(0, ages(under)),
    tile,
    strip,
  };
}
