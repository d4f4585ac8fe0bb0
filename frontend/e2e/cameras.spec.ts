// Cameras: a still and a stream of a server that wants a password, on a house of their own; what reaches the browser holds none of it. No encoder is at
// hand, so the stream's segments hold no picture: what is tested of it is that the player asks us for playlist and segments and gets the camera's bytes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import {
  ask,
  check,
  DOT,
  push,
  reading,
  until,
  visit,
  type House,
  type Spec,
} from "./house";
import { end, serve } from "./server";

const PASSWORD = "rahasia-kamera-5520";
const KEY = "kunci-alamat-8813";
const SEGMENT = Buffer.alloc(188 * 40, 0x47);
const PLACE = { lng: 100.63, lat: -0.83 };

interface Cameras {
  server: Server;
  at: string;
  /** Paths that were asked with the password. */
  asked: string[];
  /** Answers nothing any more. */
  dead: boolean;
}

async function camerasServe(): Promise<Cameras> {
  const out: Cameras = {
    server: createServer(),
    at: "",
    asked: [],
    dead: false,
  };
  out.server.on("request", (request, response) => {
    const sent = `Basic ${Buffer.from(`kota:${PASSWORD}`).toString("base64")}`;
    if (request.headers.authorization !== sent || out.dead) {
      response.writeHead(out.dead ? 500 : 401).end();
      return;
    }
    const path = new URL(request.url ?? "", "http://camera").pathname;
    out.asked.push(path);
    if (path === "/still.png") response.end(DOT);
    else if (path === "/live.m3u8")
      response.end(
        `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.4d401f"\nlow/index.m3u8?key=${KEY}\n`,
      );
    else if (path === "/low/index.m3u8")
      response.end(
        `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:4,\nseg1.ts?key=${KEY}\n#EXTINF:4,\nseg2.ts?key=${KEY}\n`,
      );
    else if (path.startsWith("/low/seg")) response.end(SEGMENT);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => out.server.listen(0, "127.0.0.1", done));
  out.at = `http://127.0.0.1:${String((out.server.address() as AddressInfo).port)}`;
  return out;
}

interface Own extends House {
  log: () => string;
  stop: () => Promise<void>;
}

/** A house whose configuration names the cameras. */
async function own(house: House, cameras: Cameras): Promise<Own> {
  const dir = mkdtempSync(join(tmpdir(), "kentongan-cameras-"));
  const file = join(dir, "cameras.yaml");
  const common = `allow_private: true, every: 1s, auth: {user: kota, password: ${PASSWORD}}`;
  writeFileSync(
    file,
    `profile: solok
feeds:
  - {name: awlr, format: native, transport: push, kind: river_gauge, agency: pupr}
rules:
  - id: muka-air
    when: obs.property == "water_level" && obs.value >= 3.0
    clear: obs.value < 2.5
    samples: 1
    alert: {event: "Muka air tinggi", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
    incident: {type: flood, merge_radius_m: 1500, merge_window: 30m}
cameras:
  - {id: jembatan, name: "Jembatan <b>Lembang</b>", lng: ${String(PLACE.lng)}, lat: ${String(PLACE.lat)}, still: "${cameras.at}/still.png?key=${KEY}", ${common}}
  - {id: pasar, name: "Pasar Raya", lng: 100.64, lat: -0.84, still: "${cameras.at}/still.png?key=${KEY}", hls: "${cameras.at}/live.m3u8?key=${KEY}", ${common}}
  - {id: tahanan, name: "Ruang tahanan", lng: 100.6301, lat: -0.8301, still: "${cameras.at}/still.png", restricted: true, agency: polres, ${common}}
`,
  );
  const gone = () => {
    rmSync(dir, { recursive: true });
  };
  try {
    const { server, base, log } = await serve(house, file, join(dir, "data"));
    const stop = async () => {
      await end(server, "SIGTERM");
      gone();
    };
    return { ...house, base, log, stop };
  } catch (fault) {
    gone();
    throw fault;
  }
}

/** Every text that the browser was sent. */
function listen(page: Page): { texts: string[]; urls: string[] } {
  const out = { texts: [] as string[], urls: [] as string[] };
  page.on("request", (request) => out.urls.push(request.url()));
  page.on("response", (response) => {
    out.texts.push(JSON.stringify(response.headers()));
    if (/camera/.test(response.url()))
      void response
        .text()
        .then((text) => out.texts.push(text))
        .catch(() => undefined);
  });
  return out;
}

function silent(text: string, where: string, at: string): void {
  for (const secret of [PASSWORD, KEY, at.slice("http://".length)])
    check(!text.includes(secret), `${where} tells ${secret}`);
}

async function withHouse(
  house: House,
  run: (own: Own, cameras: Cameras) => Promise<void>,
): Promise<void> {
  const cameras = await camerasServe();
  try {
    const mine = await own(house, cameras);
    try {
      await run(mine, cameras);
      silent(mine.log(), "the log", cameras.at);
    } finally {
      await mine.stop();
    }
  } finally {
    cameras.server.closeAllConnections();
    cameras.server.close();
  }
}

const spec: Spec = {
  "a camera on the map is a live picture by one click, and moves by a second": (
    house,
  ) =>
    withHouse(house, async (mine, cameras) => {
      await push(mine, "awlr", [
        reading({ thing: "s1", property: "water_level", value: 4, ...PLACE }),
      ]);
      await until(async () => {
        const { items } = await ask<{ items: { id: string }[] }>(
          mine,
          "GET",
          "/things?kind=camera",
        );
        return items.length === 2; // the restricted one is no Thing
      }, "the cameras are no Things");
      const seen = await visit(mine, "/console?lang=en&theme=light");
      const { page } = seen;
      const heard = listen(page);
      await page.getByTestId("rows").waitFor({ timeout: 20_000 });
      await page.keyboard.press("/");
      await page.keyboard.type("pasar raya");
      await page.keyboard.press("Enter"); // before the answer has come
      const inset = page.getByTestId("camera-inset");
      await inset.locator("img").waitFor({ timeout: 40_000 });
      check(
        (await inset.getByTestId("camera-picture").getAttribute("data-old")) ===
          "false",
        "a fresh picture looks old",
      );
      await inset.getByRole("button").first().click();
      await page.getByTestId("camera-large").waitFor();
      await until(
        () =>
          Promise.resolve(
            cameras.asked.some((p) => p === "/low/seg1.ts") &&
              heard.urls.some((u) => /\/hls\/live\.m3u8$/.test(u)) &&
              heard.urls.some((u) => /\/hls\/[\w-]+\.bin$/.test(u)),
          ),
        `the player does not ask us for segments: ${heard.urls.join("\n")}`,
        20_000,
      );
      silent(
        heard.texts.join("\n") + heard.urls.join("\n"),
        "the browser",
        cameras.at,
      );
      check(seen.faults.length === 0, seen.faults.join("\n"));
      check(seen.strangers.length === 0, seen.strangers.join("\n"));
      const { items } = await ask<{
        items: { action: string; object: string }[];
      }>(mine, "GET", "/audit?action=camera.viewed");
      const looks = items.filter((r) => r.object === "camera:camera:pasar");
      check(looks.length === 1, `${String(looks.length)} records of one look`);
      await seen.close();
    }),
  "the wall shows the nearest of an incident, and a dead camera looks dead": (
    house,
  ) =>
    withHouse(house, async (mine, cameras) => {
      await push(mine, "awlr", [
        reading({ thing: "s1", property: "water_level", value: 4, ...PLACE }),
      ]);
      const seen = await visit(mine, "/wall?motion=off&lang=en");
      const { page } = seen;
      const tiles = page.getByTestId("wall-camera");
      await tiles.nth(1).locator("img").waitFor({ timeout: 40_000 });
      check((await tiles.count()) === 2, "a restricted camera is on the wall");
      check(
        (await tiles.first().innerText()).includes("Jembatan <b>Lembang</b>"),
        "the nearest is not first, or its name is no text",
      );
      await page.getByTestId("camera-pin").first().waitFor({ timeout: 40_000 });
      cameras.dead = true;
      await until(
        async () =>
          (await tiles
            .first()
            .getByTestId("camera-picture")
            .getAttribute("data-old")) === "true",
        "a picture of the past looks like now",
        40_000,
      );
      await until(
        async () =>
          /no picture since/.test(
            await tiles.first().getByTestId("camera-age").innerText(),
          ),
        "it does not say since when",
      );
      check(seen.faults.length === 0, seen.faults.join("\n"));
      check(seen.strangers.length === 0, seen.strangers.join("\n"));
      await seen.close();
    }),
};

export default spec;
