// Pictures of the wall for people to look at: node dev/shoot.mjs BASE OUT [WxH,...] [lang,...] [scene,...]. Needs CHROMIUM.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const [
  base = "http://127.0.0.1:8099",
  out = "/tmp/wall",
  sizes = "1920x1080",
  langs = "id",
  scenes = "flood",
] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  args: [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
for (const scene of scenes.split(",")) {
  const lost = scene === "lost";
  await fetch(`${base}/fake/heal`);
  await fetch(`${base}/fake/scene?name=${lost ? "flood" : scene}`);
  for (const size of sizes.split(",")) {
    const [width, height] = size.split("x").map(Number);
    for (const lang of langs.split(",")) {
      const page = await browser.newPage({ viewport: { width, height } });
      page.on(
        "console",
        (m) =>
          m.type() !== "log" && console.log(scene, size, m.type(), m.text()),
      );
      page.on("pageerror", (e) =>
        console.log(scene, size, "pageerror", e.message),
      );
      await page.goto(
        `${base}/wall?motion=off&kiosk=${process.env.KIOSK ?? 1}&lang=${lang}`,
      );
      await page
        .waitForFunction(
          () => document.querySelector('[data-idle="true"]'),
          null,
          { timeout: 45000 },
        )
        .catch(() => console.log(scene, size, "the map did not come to rest"));
      await page.waitForTimeout(2500);
      if (lost) {
        await fetch(`${base}/fake/drop`);
        await page.waitForSelector('[data-phase="offline"]', {
          timeout: 15000,
        });
        await page.waitForTimeout(3500);
        await fetch(`${base}/fake/heal`);
      }
      await page.screenshot({ path: `${out}/${scene}-${size}-${lang}.png` });
      await page.close();
    }
  }
}
await browser.close();
