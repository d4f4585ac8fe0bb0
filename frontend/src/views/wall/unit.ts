/** How a picture is laid out: a wall, a wall that is mounted upright, or a phone, on which it scrolls. */
export type Shape = "wide" | "upright" | "phone";

/** The narrowest upright wall, CSS pixels: what is narrower is held in a hand. */
const UPRIGHT_PX = 700;

/** `width` and `height` are of the whole picture, over all of its screens. */
export const shapeOf = (width: number, height: number): Shape => {
  if (width > height) return "wide";
  return width >= UPRIGHT_PX ? "upright" : "phone";
};

/** Screen pixels of one mock pixel: the same rule as --unit in wall.css, for what is drawn outside of CSS. */
export function wallUnit(width: number, height: number): number {
  const by: Record<Shape, number> = {
    wide: Math.min(width / 1920, height / 1080),
    upright: Math.min(width / 1080, height / 1920),
    phone: width / 860,
  };
  // In steps, so that dragging a window's edge does not rebuild the map with every pixel.
  return Math.max(0.2, Math.round(by[shapeOf(width, height)] * 50) / 50);
}
