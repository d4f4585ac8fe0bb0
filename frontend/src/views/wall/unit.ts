/** Screen pixels of one mock pixel: the same rule as --px in wall.css, for what is drawn outside of CSS. */
export function wallUnit(width: number, height: number): number {
  const upright = width / height <= 1;
  const unit = upright ? width / 860 : Math.min(width / 1920, height / 1080);
  // In steps, so that dragging a window's edge does not rebuild the map with every pixel.
  return Math.max(0.2, Math.round(unit * 50) / 50);
}
