// Measures the wall under a crowd: N Things that all move four times a second, in binary frames from the stand-in server to the built
// page in Chromium. Prints main-thread milliseconds per tick (the task time of the page's main thread, from its trace) and the slope of
// the heap after forced collections. Not part of the gate: it takes a minute. Usage, after npm run build:
//   node e2e/fleet.mjs [things=20000] [seconds=60] [width=1280] [height=720]     KENTONGAN_FLEET_LIMIT_MS=8 fails above it
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { heapOf, perTick, quantile, slope, traced } from "./measure.mjs";

const [things = 20_000, seconds = 60, width = 1280, height = 720] = process.argv
  .slice(2)
  .map(Number);
const LIMIT_MS = Number(process.env.KENTONGAN_FLEET_LIMIT_MS ?? 8);
const TICK_MS = 250;
const TRACE_S = 15;
const PORT = 8177;

const server = spawn(
  process.execPath,
  [fileURLToPath(new URL("../dev/fake-server.mjs", import.meta.url)), PORT],
  {
    env: { ...process.env, KENTONGAN_FAKE_THINGS: String(things) },
    stdio: ["ignore", "pipe", "inherit"],
  },
);
await new Promise((done) => server.stdout.once("data", done));
const base = `http://127.0.0.1:${PORT}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  headless: true,
  args: ["--disable-quic", "--no-first-run", "--disable-background-networking"],
});

async function open(scene) {
  await fetch(`${base}/fake/scene?name=${scene}`);
  const page = await browser.newPage({ viewport: { width, height } });
  page.on("pageerror", (fault) => {
    console.error(`pageerror: ${fault.message}`);
    process.exitCode = 1;
  });
  await page.goto(`${base}/wall?motion=off&kiosk=1`);
  await page.waitForSelector('[data-phase="live"]', { timeout: 60_000 });
  await page.waitForTimeout(6_000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  return { page, cdp };
}

try {
  const figures = ({ wall, cpu }) =>
    `${quantile(wall, 0.5).toFixed(1)} / ${quantile(wall, 0.95).toFixed(1)} wall, ` +
    `${quantile(cpu, 0.5).toFixed(1)} / ${quantile(cpu, 0.95).toFixed(1)} CPU`;
  const idle = await open("flood");
  const rest = perTick(await traced(idle.cdp, 5), TICK_MS);
  await idle.page.close();
  const { page, cdp } = await open("crowd");
  const said = await page.evaluate(
    () =>
      document.querySelector('[data-testid="map"]')?.dataset.idle ?? "not yet",
  );
  const ticks = perTick(await traced(cdp, Math.min(TRACE_S, seconds)), TICK_MS);
  const started = Date.now();
  const heap = [];
  while (Date.now() - started < seconds * 1_000) {
    heap.push([(Date.now() - started) / 60_000, (await heapOf(cdp)).mb]);
    await page.waitForTimeout(Math.min(10_000, seconds * 200));
  }
  heap.push([(Date.now() - started) / 60_000, (await heapOf(cdp)).mb]);
  // The first readings hold what the first seconds compiled and cached.
  const settled = heap.slice(heap.length > 6 ? 2 : 0);
  console.log(
    `${things} Things at 4 Hz, ${width}x${height}, map idle: ${said}`,
  );
  console.log(
    `main thread ms per tick, p50 / p95: ${figures(ticks)} (${ticks.wall.length} ticks)`,
  );
  console.log(`the same page without the crowd:    ${figures(rest)}`);
  console.log(
    `heap after collection: ${heap.map(([, mb]) => mb.toFixed(1)).join(" ")} MB; slope ${slope(settled).by.toFixed(3)} MB/min over ${seconds} s`,
  );
  if (quantile(ticks.cpu, 0.5) > LIMIT_MS) {
    console.error(`above ${LIMIT_MS} ms per tick`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
  server.kill();
}
