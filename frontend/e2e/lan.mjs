// TLS=local as a phone or a wall on the LAN meets it: by the machine's name, over its own address, in a browser that trusts nothing but what
// was installed. And a page of somebody else on the same network, which tries every door of a house that is signed in.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { chromium } from "playwright-core";

const name = "posko.local";
const address = "10.77.0.1";
const token = "lan-token-lan-token-lan-token-lan-0000";
const scratch = mkdtempSync("/tmp/kentongan-lan-");
const server = spawn(
  "../bin/kentongan",
  ["serve", "--config", "../deploy/e2e.yaml", "--listen", "0.0.0.0:0"],
  {
    env: {
      ...process.env,
      KENTONGAN_TLS: "local",
      KENTONGAN_DATA_DIR: join(scratch, "data"),
      KENTONGAN_ADMIN_TOKEN: token,
      KENTONGAN_LOG_FORMAT: "json",
      KENTONGAN_MQTT_LISTEN: "",
    },
    stdio: ["ignore", "pipe", "pipe"],
  },
);
let log = "";
server.stdout.on("data", (b) => (log += b));
server.stderr.on("data", (b) => (log += b));

/** Waits until the condition gives something. */
async function until(what, condition, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await condition();
    if (got) return got;
    if (Date.now() > end || server.exitCode !== null) {
      throw new Error(`${what} did not come\n${log.slice(-3000)}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}

const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      `--host-resolver-rules=MAP ${name} ${address}`,
    ],
  });

/** The root, as somebody gets it who cannot trust the server yet: base64 of its DER. */
const rootOf = (port) =>
  new Promise((done, fail) => {
    https
      .get(
        {
          host: address,
          port,
          path: "/api/v1/session/authority",
          rejectUnauthorized: false,
        },
        (answer) => {
          let text = "";
          answer.on("data", (b) => (text += b));
          answer.on("end", () =>
            answer.statusCode === 200
              ? done(text.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""))
              : fail(new Error(`${answer.statusCode} ${text}`)),
          );
        },
      )
      .on("error", fail);
  });

/** Before the root is installed nothing is shown. */
async function distrusted(base) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await assert.rejects(
      page.goto(`${base}/login`),
      /ERR_CERT_AUTHORITY_INVALID/,
      "a browser that has not installed the root trusts the server",
    );
  } finally {
    await browser.close();
  }
}

/** A page of somebody else. What its scripts have to say is read off the page. */
const foreign = http.createServer((_, answer) => {
  answer.setHeader("content-type", "text/html");
  answer.end("<!doctype html><title>somebody else</title><body></body>");
});

const doors = [
  ["POST", "/api/v1/incidents"],
  ["POST", "/api/v1/reports"],
  ["POST", "/api/v1/keys"],
  ["POST", "/api/v1/users"],
  ["POST", "/api/v1/session"],
  ["POST", "/api/v1/ingest/awlr"],
  ["DELETE", "/api/v1/session"],
  ["PATCH", "/api/v1/users/x"],
  ["PUT", "/api/v1/session/desk"],
];

async function crossSite(browser, base, context) {
  await new Promise((done) => foreign.listen(0, address, done));
  const away = `http://${address}:${foreign.address().port}/`;
  const page = await context.newPage();
  await page.goto(away);
  const own = await page.evaluate(
    async ({ base, doors }) => {
      const got = {};
      const body = JSON.stringify({
        type: "flood",
        title: "dari luar",
        lng: 100.65,
        lat: -0.8,
        channel: "call",
        text: "dari luar",
        name: "dari luar",
        scope: "read",
        code: "x",
      });
      for (const [method, path] of doors) {
        for (const mode of ["cors", "no-cors"]) {
          for (const type of ["application/json", "text/plain"]) {
            const key = `${method} ${path} ${mode} ${type}`;
            try {
              const answer = await fetch(base + path, {
                method: mode === "no-cors" ? "POST" : method,
                mode,
                credentials: "include",
                headers: { "content-type": type },
                body,
              });
              got[key] =
                mode === "no-cors" ? `opaque ${answer.type}` : "readable";
            } catch (fault) {
              got[key] = `refused ${fault.name}`;
            }
          }
        }
      }
      for (const path of ["/api/v1/session", "/api/v1/incidents", "/readyz"]) {
        try {
          await fetch(base + path, { credentials: "include" });
          got[`GET ${path}`] = "readable";
        } catch (fault) {
          got[`GET ${path}`] = `refused ${fault.name}`;
        }
      }
      got.socket = await new Promise((done) => {
        const s = new WebSocket(
          `${base.replace("https", "wss")}/api/v1/live?format=json`,
          "kentongan.v1",
        );
        s.onopen = () => done("open");
        s.onerror = () => done("refused");
      });
      got.frame = await new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.src = `${base}/console`;
        frame.onload = () => {
          try {
            done(
              frame.contentDocument === null ||
                frame.contentDocument.title === ""
                ? "blocked"
                : "shown",
            );
          } catch {
            done("blocked");
          }
        };
        document.body.append(frame);
        setTimeout(() => done("blocked"), 3000);
      });
      got.script = await new Promise((done) => {
        const script = document.createElement("script");
        script.src = `${base}/api/v1/session`;
        script.onload = () => done("run");
        script.onerror = () => done("refused");
        document.body.append(script);
      });
      return got;
    },
    { base, doors },
  );
  for (const [door, what] of Object.entries(own)) {
    assert.doesNotMatch(
      what,
      /readable|open|shown|run/,
      `${door}: ${what} from a foreign page`,
    );
  }
  for (const [, path] of doors.filter(([method]) => method === "POST")) {
    await page.goto(away);
    await page.evaluate(
      ({ base, path }) => {
        const form = document.createElement("form");
        form.method = "post";
        form.enctype = "text/plain";
        form.action = base + path;
        const field = document.createElement("input");
        field.name =
          '{"type":"flood","title":"dari luar","lng":100.65,"lat":-0.8,"note":"';
        field.value = '"}';
        form.append(field);
        document.body.append(form);
        form.submit();
      },
      { base, path },
    );
    await page.waitForURL((u) => u.origin === base, { timeout: 10_000 });
    assert.match(
      await page.locator("body").innerText(),
      /"status":(401|403)/,
      `a foreign form at ${path}`,
    );
  }
  await page.close();
  return Object.keys(own).length + doors.filter(([m]) => m === "POST").length;
}

try {
  const port = await until("the address", () =>
    log.match(
      /"addr":"[^"]*?:(\d+)"[^}]*"message":"listening"|"message":"listening"[^}]*"addr":"[^"]*?:(\d+)"/,
    ),
  ).then((m) => m[1] ?? m[2]);
  const base = `https://${name}:${port}`;
  await until("ready", () => /"message":"ready"/.test(log));
  await distrusted(base);
  const root = await rootOf(port);
  writeFileSync(
    "/etc/chromium/policies/managed/kentongan.json",
    JSON.stringify({ CACertificates: [root] }),
  );
  const browser = await launch();
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${base}/login`);
  assert.ok(await page.evaluate(() => isSecureContext), "no secure context");
  assert.ok(
    await page.evaluate(
      () => "serviceWorker" in navigator && "geolocation" in navigator,
    ),
    "no service workers or location",
  );
  const signedIn = await page.evaluate(
    async (token) =>
      (
        await fetch("/api/v1/session", {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
        })
      ).status,
    token,
  );
  assert.equal(signedIn, 200, "signed in");
  const cookies = (await context.cookies()).filter((c) =>
    c.name.startsWith("__Host-kentongan"),
  );
  assert.ok(cookies.length > 0, "no __Host- cookie");
  for (const c of cookies) {
    assert.ok(c.secure && c.httpOnly && c.path === "/", JSON.stringify(c));
  }
  const socket = page.waitForEvent("websocket");
  await page.goto(`${base}/wall?motion=off`);
  const live = await socket;
  assert.match(live.url(), /^wss:/);
  await live.waitForEvent("framereceived", { timeout: 10_000 });
  const incidents = async () =>
    page.evaluate(
      async () =>
        (await (await fetch("/api/v1/incidents")).json()).items.length,
    );
  const before = await incidents();
  const tried = await crossSite(browser, base, context);
  assert.equal(await incidents(), before, "a foreign page opened an incident");
  assert.equal(
    await page.evaluate(async () => (await fetch("/api/v1/session")).status),
    200,
    "a foreign page signed us out",
  );
  await browser.close();
  console.log(
    `lan: trusted by its root at ${base}; a foreign page failed at ${tried} doors`,
  );
} finally {
  foreign.close();
  server.kill("SIGTERM");
  await new Promise((done) =>
    server.exitCode !== null ? done() : server.once("exit", done),
  );
  rmSync(scratch, { recursive: true, force: true });
}
