// A picture as it goes out: small enough for a thin line, and without what the camera wrote beside it.

/** What was chosen is no picture that this phone can read. */
export class NoPicture extends Error {}

/** Pixels of the longer side: faces of buildings and water marks stay readable, and a picture is some 300 KB. */
const LONG = 1600;
const QUALITY = 0.8;

/** Sides of a picture that fits; never larger than it was. */
export function fit(
  width: number,
  height: number,
  long = LONG,
): { width: number; height: number } {
  const scale = Math.min(1, long / Math.max(width, height, 1));
  const side = (n: number) => Math.max(1, Math.round(n * scale));
  return { width: side(width), height: side(height) };
}

/** Scales a picture down to a JPEG. Errors: NoPicture. */
export async function scaled(file: Blob): Promise<Blob> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new NoPicture();
  }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, fit(picture.width, picture.height));
  canvas
    .getContext("2d")
    ?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const out = await new Promise<Blob | null>((done) => {
    canvas.toBlob(done, "image/jpeg", QUALITY);
  });
  if (!out) throw new NoPicture();
  return out;
}
