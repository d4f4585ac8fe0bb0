// Holds the wall's own number of how old readings are when they are painted (N2) against a stopwatch outside of the page: readings are pushed
// over HTTP, stamped with the time of this machine, and move a Thing to and fro between two places of the map; the frames that the browser hands
// out (CDP Page.startScreencast) are looked at for the pixels of those places to change, and carry the browser's time. A frame is handed out some
// time after it was shown: how long is measured beside it by a square in a corner that the page paints at a known time. Prints one line of JSON: {"figure","goal","got","met"}.
// Usage, against a running server with a push feed in native form: node e2e/stopwatch.mjs BASE TOKEN FEED [readings=25] [slack ms=250]
import { chromium } from "playwright-core";
import { quantile } from "./measure.mjs";
import { readPng } from "./png.mjs";

const [base, token, feed, count = "25", slack = "250"] = process.argv.slice(2);
const PACE_MS = 1_500;
const WAIT_MS = 10_000;
const VIEW = { width: 1280, height: 720 };
/** Frames are handed out at half the size: enough for a mark, and less work beside what is measured. */
const HALF = 2;
const PLACES = [
  { lng: 100.62, lat: -0.95 },
  { lng: 100.72, lat: -0.95 },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  headless: true,
  args: ["--disable-quic", "--no-first-run", "--disable-background-networking"],
});

/** Pushes the Thing to a place; gives the time that the reading is stamped with. */
async function push(place) {
  const at = Date.now();
  const answer = await fetch(`${base}/api/v1/ingest/${feed}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify([
      {
        thing: "stopwatch",
        property: "water_level",
        unit: "m",
        value: 1,
        at: new Date(at).toISOString(),
        ...PLACES[place],
      },
    ]),
  });
  if (answer.status !== 202) throw new Error(`push: ${answer.status}`);
  return at;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** How different two pictures are within `reach` pixels of a spot, mean of the channels' differences. */
function differ(a, b, spot, reach = 5) {
  let sum = 0;
  let n = 0;
  for (let y = spot.y - reach; y <= spot.y + reach; y++) {
    for (let x = spot.x - reach; x <= spot.x + reach; x++) {
      const [p, q] = [a.at(x, y), b.at(x, y)];
      for (let i = 0; i < 3; i++) sum += Math.abs(p[i] - q[i]);
      n += 3;
    }
  }
  return sum / n;
}

/** Where two pictures of the map differ most: that is where a mark came or went. */
function place(a, b, map) {
  let best = { x: 0, y: 0, by: 0 };
  for (let y = map.top; y < map.bottom; y += 3) {
    for (let x = map.left; x < map.right; x += 3) {
      const by = differ(a, b, { x, y });
      if (by > best.by) best = { x, y, by };
    }
  }
  if (best.by < 4) throw new Error("the map shows no change of the Thing");
  return best;
}

try {
  const context = await browser.newContext({ viewport: VIEW });
  const page = await context.newPage();
  await page.request.post(`${base}/api/v1/session`, {
    headers: { Authorization: `Bearer ${token}`, Origin: base },
    data: {},
  });
  await page.goto(`${base}/wall?motion=off&kiosk=1`);
  await page.waitForSelector('[data-phase="live"]', { timeout: 60_000 });
  await page.waitForSelector('[data-idle="true"]', { timeout: 60_000 });
  const cdp = await context.newCDPSession(page);
  const frames = [];
  let last = null;
  cdp.on("Page.screencastFrame", ({ data, metadata, sessionId }) => {
    void cdp.send("Page.screencastFrameAck", { sessionId });
    last = { at: metadata.timestamp * 1_000, png: Buffer.from(data, "base64") };
    frames.push(last);
  });
  await cdp.send("Page.startScreencast", {
    format: "png",
    maxWidth: VIEW.width / HALF,
    maxHeight: VIEW.height / HALF,
    everyNthFrame: 1,
  });

  const corner = { x: 6, y: VIEW.height / HALF - 6 };
  await page.evaluate(() => {
    const square = document.createElement("div");
    square.id = "stopwatch";
    Object.assign(square.style, {
      position: "fixed",
      left: "0",
      bottom: "0",
      width: "24px",
      height: "24px",
      zIndex: "99",
      background: "#000000",
    });
    document.body.append(square);
  });
  /** Milliseconds from the frame in which the square was painted to the time that the frame which shows it carries. */
  const lagOf = async (colour) => {
    frames.length = 0;
    const painted = await page.evaluate(
      (to) =>
        new Promise((done) => {
          document.getElementById("stopwatch").style.background = to;
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () =>
              done(performance.timeOrigin + performance.now());
            port2.postMessage(0);
          });
        }),
      colour,
    );
    const light = colour === "#ffffff";
    for (const until = Date.now() + WAIT_MS; Date.now() < until;) {
      while (frames.length > 0) {
        const { at, png } = frames.shift();
        const [red] = readPng(png).at(corner.x, corner.y);
        if (red > 128 === light) return at - painted;
      }
      await pause(20);
    }
    throw new Error("the square is not seen");
  };

  // Where the Thing is seen: it leaves the one place for the other.
  const settled = async (which) => {
    await push(which);
    await pause(4_000);
    return readPng(last.png);
  };
  await settled(1);
  const first = await settled(0);
  const second = await settled(1);
  const box = await page.locator('[data-testid="map"]').boundingBox();
  const map = {
    left: Math.ceil(box.x / HALF) + 8,
    top: Math.ceil(box.y / HALF) + 8,
    right: Math.floor((box.x + box.width) / HALF) - 8,
    bottom: Math.floor((box.y + box.height) / HALF) - 8,
  };
  const spot = place(first, second, map);
  const looks = [first, second];

  // The footer forgets what is older than a minute: of the finding of the place nothing is left.
  await pause(62_000);
  const took = [];
  const lags = [];
  for (let i = 0; i < Number(count); i++) {
    const to = i % 2;
    frames.length = 0;
    const stamped = await push(to);
    let seen = null;
    for (const until = Date.now() + WAIT_MS; !seen && Date.now() < until;) {
      await pause(20);
      while (!seen && frames.length > 0) {
        const { at, png } = frames.shift();
        const picture = readPng(png);
        if (
          differ(picture, looks[to], spot) <
          differ(picture, looks[1 - to], spot)
        )
          seen = at;
      }
    }
    if (!seen) throw new Error(`reading ${i} is not seen`);
    took.push(seen - stamped);
    lags.push(await lagOf(i % 2 === 0 ? "#ffffff" : "#000000"));
    await pause(Math.max(0, stamped + PACE_MS - Date.now()));
  }
  await pause(1_500);
  const said = (await page.getByTestId("glass").innerText()).replace(
    /\s+/g,
    " ",
  );
  await cdp.send("Page.stopScreencast");
  const inner = /p50 ([\d.,]+).*p95 ([\d.,]+).*p99 ([\d.,]+) ms/.exec(said);
  if (!inner) throw new Error(`the footer says ${said}`);
  const of = (text) => Number(text.replace(/[.,](?=\d{3})/g, ""));
  const lag = quantile(lags, 0.5);
  const outer = quantile(took, 0.5) - lag;
  const apart = outer - of(inner[1]);
  console.log(
    JSON.stringify({
      figure:
        "sensor to glass: the wall's own number against a stopwatch that watches a changed pixel",
      goal: `medians within ${slack} ms`,
      got: `wall p50 ${of(inner[1])} ms, p95 ${of(inner[2])} ms; outside p50 ${outer.toFixed(0)} ms (${quantile(took, 0.5).toFixed(0)} less ${lag.toFixed(0)} of its own), p95 ${(quantile(took, 0.95) - lag).toFixed(0)} ms; apart ${apart.toFixed(0)} ms; n ${took.length}`,
      met: Math.abs(apart) <= Number(slack),
    }),
  );
  if (process.env.KENTONGAN_STOPWATCH_ALL)
    for (const list of [took, lags])
      console.error(list.map((v) => v.toFixed(0)).join(" "));
  if (Math.abs(apart) > Number(slack)) process.exitCode = 1;
} finally {
  await browser.close();
}
