// Pictures to compare with, one folder for each major version of Chromium: letters are drawn otherwise by the next one.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator } from "playwright-core";

const FOLDER = "e2e/goldens";
/** Share of pixels that may differ. */
const ALLOWED = 0.003;

/** "148" of "148.0.7778.167". */
export const majorOf = (browser: Browser): string =>
  browser.version().split(".")[0] ?? "";

export const hasGoldens = (browser: Browser): boolean =>
  existsSync(join(FOLDER, majorOf(browser)));

/** KENTONGAN_GOLDENS=write: pictures are taken anew in place of being compared. */
export const renews = process.env["KENTONGAN_GOLDENS"] === "write";

/**
 * Share of pixels (0 to 1) that an eye tells apart; 1 where the sizes differ. Both are softened by one pixel, so that an edge that is drawn
 * half a pixel off does not count, and compared in YIQ with the weights of Kotsarenko and Ramos (2010).
 */
export async function difference(
  browser: Browser,
  one: Buffer,
  other: Buffer,
): Promise<number> {
  const page = await browser.newPage();
  try {
    return await page.evaluate(
      async ([a = "", b = ""]) => {
        const read = async (base64: string) => {
          const image = new Image();
          image.src = `data:image/png;base64,${base64}`;
          await image.decode();
          const canvas = document.createElement("canvas");
          canvas.width = image.width;
          canvas.height = image.height;
          const pen = canvas.getContext("2d");
          if (!pen) throw new Error("no canvas");
          pen.drawImage(image, 0, 0);
          return pen.getImageData(0, 0, image.width, image.height);
        };
        const [x, y] = [await read(a), await read(b)];
        if (x.width !== y.width || x.height !== y.height) return 1;
        const { width, height } = x;
        const soft = ({ data }: ImageData) => {
          const out = new Float32Array(width * height * 3);
          for (let r = 1; r < height - 1; r++)
            for (let c = 1; c < width - 1; c++)
              for (let k = 0; k < 3; k++) {
                let sum = 0;
                for (let dr = -1; dr <= 1; dr++)
                  for (let dc = -1; dc <= 1; dc++)
                    sum += data[((r + dr) * width + c + dc) * 4 + k] ?? 0;
                out[(r * width + c) * 3 + k] = sum / 9;
              }
          return out;
        };
        const [p, q] = [soft(x), soft(y)];
        // The greatest possible distance is 35215; a tenth of its root is where an eye begins to see one.
        const LEAST = 35215 * 0.1 * 0.1;
        let far = 0;
        for (let i = 0; i < p.length; i += 3) {
          const [r, g, b3] = [0, 1, 2].map(
            (k) => (p[i + k] ?? 0) - (q[i + k] ?? 0),
          ) as [number, number, number];
          const dy = r * 0.29889531 + g * 0.58662247 + b3 * 0.11448223;
          const di = r * 0.59597799 - g * 0.2741761 - b3 * 0.32180189;
          const dq = r * 0.21147017 - g * 0.52261711 + b3 * 0.31114694;
          if (0.5053 * dy * dy + 0.299 * di * di + 0.1957 * dq * dq > LEAST)
            far++;
        }
        return far / (width * height);
      },
      [one.toString("base64"), other.toString("base64")],
    );
  } finally {
    await page.close();
  }
}

/** Compares what is there with its picture, or takes it anew; an empty answer: they are alike. */
export async function golden(
  browser: Browser,
  name: string,
  what: Locator,
): Promise<string> {
  const folder = join(FOLDER, majorOf(browser));
  const file = join(folder, `${name}.png`);
  const now = await what.screenshot({ animations: "disabled" });
  if (renews) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, now);
    return "";
  }
  if (!existsSync(file))
    return `${name}: no picture in ${folder}; make goldens`;
  const share = await difference(browser, readFileSync(file), now);
  if (share <= ALLOWED) return "";
  mkdirSync("test-results", { recursive: true });
  writeFileSync(join("test-results", `${name}.png`), now);
  return `${name}: ${(share * 100).toFixed(2)} % of it looks otherwise; see test-results/${name}.png, or make goldens where it is meant`;
}
