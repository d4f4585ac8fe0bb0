// One picture over several screens: which part of it a screen shows. Pure.

/** Columns and rows of the picture, and which of its parts this is, counted from 0 at the upper left. */
export interface Part {
  columns: number;
  rows: number;
  column: number;
  row: number;
}

const MOST = 36;
const FORM = /^([1-9]\d?)\/([1-9]\d?)$/;

/** The squarest grid of so many screens, wider than high: 2 side by side, 3 side by side, 4 as 2 x 2, 6 as 3 x 2. */
export function gridOf(screens: number): { columns: number; rows: number } {
  if (screens < 4) return { columns: screens, rows: 1 };
  let rows = Math.floor(Math.sqrt(screens));
  while (screens % rows !== 0) rows--;
  return { columns: screens / rows, rows };
}

/** Reads "2/4", the second of four in reading order; null: it is a picture of its own. */
export function partOf(text: string): Part | null {
  const [, nth, of] = FORM.exec(text) ?? [];
  const n = Number(nth);
  const all = Number(of);
  if (!nth || n > all || all < 2 || all > MOST) return null;
  const { columns, rows } = gridOf(all);
  return {
    columns,
    rows,
    column: (n - 1) % columns,
    row: Math.floor((n - 1) / columns),
  };
}

/** What stands on a part beside its map: the header along the upper edge, the rail on the right, the footer along the lower edge. */
export const edges = (part: Part | null) => ({
  head: part === null || part.row === 0,
  foot: part === null || part.row === part.rows - 1,
  rail: part === null || part.column === part.columns - 1,
});
