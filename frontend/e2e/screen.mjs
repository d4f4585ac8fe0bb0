// The wall's figures in a real browser, from the stand-in server to what is painted. Prints one line of JSON each: {"figure","goal","got","met"}.
// Software draws here: what is measured is the main thread's CPU time. Usage, after npm run build:
//   node e2e/screen.mjs [runs=3] [heapMinutes=10] [only=rest,things,cells,incidents,glass,heap]
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { heapOf, perTick, quantile, slope, traced } from "./measure.mjs";

const [runs = 3, heapMinutes = 10] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4]?.split(",");
const wanted = (name) => !only || only.includes(name);
const TICK_MS = 250;
const TRACE_S = 10;
const SAMPLES = 50;
/** The first minutes compile and cache, and the ways of units are kept for a quarter of an hour: before that a heap has not grown to its size. */
const FULL_MS = 16 * 60_000;
/** Between two new cases: long enough for a map that follows the one before, of uneven length, so that no beat is always met. */
const REST_MS = 2_000;
const REST_MORE_MS = 4_000;

/** A stand-in server of its own, on a free port. */
async function standIn(things) {
  const server = spawn(
    process.execPath,
    [fileURLToPath(new URL("../dev/fake-server.mjs", import.meta.url)), "0"],
    {
      env: { ...process.env, KENTONGAN_FAKE_THINGS: String(things) },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const said = await new Promise((done) => server.stdout.once("data", done));
  return { server, base: `${said}`.trim().replace("/wall", "") };
}

const tell = (figure, goal, got, met) =>
  console.log(JSON.stringify({ figure, goal, got, met }));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  headless: true,
  args: ["--disable-quic", "--no-first-run", "--disable-background-networking"],
});
let failed = false;

/** In the page: tells whether a frame is being made, whose picture then has what changes now. */
function frames() {
  const ask = window.requestAnimationFrame.bind(window);
  window.inFrame = false;
  window.requestAnimationFrame = (run) =>
    ask((time) => {
      if (!window.inFrame) {
        window.inFrame = true;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => (window.inFrame = false);
        port2.postMessage(0);
      }
      run(time);
    });
}

async function open(base, scene, script) {
  await fetch(`${base}/fake/scene?name=${scene}`);
  const page = await browser.newPage({
    viewport: { width: 1280, height: 720 },
  });
  if (script) await page.addInitScript(script);
  page.on("pageerror", (fault) => {
    console.error(`pageerror: ${fault.message}`);
    failed = true;
  });
  await page.goto(`${base}/wall?motion=off&kiosk=1`);
  await page.waitForSelector('[data-phase="live"]', { timeout: 60_000 });
  await page.waitForTimeout(6_000);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  return { page, cdp };
}

/**
 * CPU milliseconds of the main thread: all of it by the ticks that were sent, which holds also where a busy machine joins the work of several;
 * beside it the windows in which it worked. Medians over the runs.
 */
async function ticks(base, scene) {
  const sent = (TRACE_S * 1_000) / TICK_MS;
  const by = { mean: [], p50: [], p95: [] };
  let n = 0;
  for (let run = 0; run < runs; run++) {
    const { page, cdp } = await open(base, scene);
    const { cpu } = perTick(await traced(cdp, TRACE_S), TICK_MS);
    by.mean.push(cpu.reduce((a, b) => a + b, 0) / sent);
    by.p50.push(quantile(cpu, 0.5));
    by.p95.push(quantile(cpu, 0.95));
    n += cpu.length;
    await page.close();
  }
  const middle = (list) => quantile(list, 0.5);
  return {
    mean: middle(by.mean),
    p50: middle(by.p50),
    p95: middle(by.p95),
    n,
    sent: sent * runs,
  };
}

/**
 * A new case, to the end of the frame that has its mark, milliseconds: from when it was asked for by HTTP, and from when the server wrote it to
 * the socket, by the one clock of this machine.
 */
async function painted(base) {
  const { page } = await open(base, "cases", frames);
  const took = { asked: [], sent: [] };
  for (let i = 0; i < SAMPLES; i++) {
    const { asked, sent } = await page.evaluate(async () => {
      const clock = () => performance.timeOrigin + performance.now();
      const began = clock();
      const glass = new Map();
      // Marks are seen as they come: the answer of the server may come after them.
      const look = () => {
        for (const mark of document.querySelectorAll(
          '[data-testid^="mark-"]',
        )) {
          const number = mark.dataset.testid.slice(5);
          if (glass.has(number)) continue;
          glass.set(
            number,
            new Promise((done) => {
              const painted = () => {
                const { port1, port2 } = new MessageChannel();
                port1.onmessage = () => done(clock());
                port2.postMessage(0);
              };
              if (window.inFrame) painted();
              else requestAnimationFrame(painted);
            }),
          );
        }
      };
      look();
      const eye = new MutationObserver(look);
      eye.observe(document.body, {
        childList: true,
        subtree: true,
        attributeFilter: ["data-testid"],
      });
      const { number, sent } = await (await fetch("/fake/case")).json();
      for (const until = clock() + 15_000; !glass.has(number);) {
        if (clock() > until) throw new Error(`${number} is not shown`);
        await new Promise((done) => setTimeout(done, 10));
      }
      eye.disconnect();
      const at = await glass.get(number);
      return { asked: at - began, sent: at - sent };
    });
    took.asked.push(asked);
    took.sent.push(sent);
    await page.waitForTimeout(REST_MS + REST_MORE_MS * Math.random());
  }
  await page.close();
  return took;
}

async function heap(base, minutes) {
  const { page, cdp } = await open(base, "changes");
  await page.waitForTimeout(Math.min(FULL_MS, minutes * 16_000));
  const began = Date.now();
  const points = [];
  let nodes = 0;
  while (Date.now() - began < minutes * 60_000) {
    const now = await heapOf(cdp);
    points.push([(Date.now() - began) / 3_600_000, now.mb]);
    nodes = Math.max(nodes, now.nodes);
    await page.waitForTimeout(Math.min(15_000, minutes * 2_000));
  }
  await page.close();
  return { ...slope(points), points, nodes };
}

const ms = (v) => `${v.toFixed(1)} ms`;
const { server, base } = await standIn(20_000);
try {
  const of = ({ mean, p50, p95, n, sent }) =>
    `${ms(mean)} CPU over ${sent} ticks; in the ${n} windows that worked p50 ${ms(p50)}, p95 ${ms(p95)}; ${runs} runs`;
  if (wanted("rest"))
    tell(
      "the same wall at rest, main thread per 250 ms",
      "-",
      of(await ticks(base, "flood")),
      true,
    );
  if (wanted("things")) {
    const crowd = await ticks(base, "crowd");
    tell(
      "20,000 Things moving at 4 Hz, main thread per tick",
      "<= 8 ms",
      of(crowd),
      crowd.mean <= 8,
    );
  }
  if (wanted("cells")) {
    const hexes = await ticks(base, "recolour");
    tell(
      "5,000 hexes re-coloured at 4 Hz, main thread per tick",
      "<= 6 ms",
      of(hexes),
      hexes.mean <= 6,
    );
  }
  if (wanted("incidents"))
    tell(
      "200 incidents, 10 changes/s, main thread per 250 ms",
      "-",
      of(await ticks(base, "cases")),
      true,
    );
  if (wanted("glass")) {
    const took = await painted(base);
    const spread = (list) =>
      `p50 ${ms(quantile(list, 0.5))}, p95 ${ms(quantile(list, 0.95))}, n ${list.length}`;
    tell(
      "a new incident each 2 to 6 s, from the message on the socket to painted, 200 others changing",
      "p95 <= 100 ms",
      spread(took.sent),
      quantile(took.sent, 0.95) <= 100,
    );
    tell("the same from the asking by HTTP", "-", spread(took.asked), true);
  }
  if (wanted("heap")) {
    const { by, error, points, nodes } = await heap(base, heapMinutes);
    tell(
      `heap at 1,000 changes/s over ${heapMinutes} min, collected before each sample`,
      "slope about 0",
      `${by.toFixed(2)} +- ${error.toFixed(2)} MB/h (standard error, n ${points.length}); ${points[0][1].toFixed(1)} to ${points.at(-1)[1].toFixed(1)} MB, at most ${nodes} nodes`,
      by - 2 * error <= 0.05,
    );
  }
} finally {
  await browser.close();
  server.kill();
}
process.exit(failed ? 1 : 0);
