// Prints first contentful paint of the wall in milliseconds, one line per cold load: a fresh browser context has no cache.
import { chromium } from "playwright-core";

const [base, token, loads = "5"] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  headless: true,
  args: ["--disable-quic", "--no-first-run", "--disable-background-networking"],
});
for (let i = 0; i < Number(loads); i++) {
  const context = await browser.newContext({
    viewport: { width: 1920, height: 1080 },
  });
  const page = await context.newPage();
  await page.request.post(`${base}/api/v1/session`, {
    headers: { Authorization: `Bearer ${token}`, Origin: base },
    data: {},
  });
  await page.goto(`${base}/wall?motion=off`);
  const at = await page.evaluate(
    () =>
      new Promise((done) => {
        new PerformanceObserver((list) => {
          const entry = list
            .getEntries()
            .find((e) => e.name === "first-contentful-paint");
          if (entry) done(entry.startTime);
        }).observe({ type: "paint", buffered: true });
      }),
  );
  console.log(Math.round(at));
  await context.close();
}
await browser.close();
