// Where cameras stand on a wall, and how many there is room for. Pure.

/** Where cameras stand on a wall's map, in pixels of the composition. */
export const CAMERAS = {
  limit: 3,
  width: 298,
  top: 100,
  legend: 60,
  pitch: 199,
};
/** Height and width of a camera's number on the map. */
export const PIN = 34;
/** A camera's number and where its middle stands on the map, CSS pixels. */
export interface Pin {
  id: string;
  number: number;
  x: number;
  y: number;
}
const GAP = 12;
/** What the map says at its foot, and its controls above that at the left. */
const FOOT = 62;
const CONTROLS = 50;

/** How many stand above what a map of this height says at its foot. On the right the legend is above them. */
export function camerasFit(
  height: number,
  right: boolean,
  controls: boolean,
): number {
  const top = CAMERAS.top + (right ? CAMERAS.legend : 0);
  const foot = FOOT + (controls && !right ? CONTROLS : 0);
  const fit = Math.floor((height - top - foot + GAP) / CAMERAS.pitch);
  return Math.min(CAMERAS.limit, Math.max(1, fit));
}
