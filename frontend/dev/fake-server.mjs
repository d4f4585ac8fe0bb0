// A small stand-in for the real server, for looking at screens while they are drawn: serves dist/, a profile and a live socket
// with invented scenes. Not used by any test. Usage: node dev/fake-server.mjs [port]; KENTONGAN_FAKE_PROFILE may name a profile's JSON.
// GET /fake/scene?name=calm|flood|empty|odd|simulated|crowd|cells changes the scene, GET /fake/drop closes sockets and refuses new ones, /fake/heal lets them in.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import {
  cellFrame,
  feedsMessage,
  hello,
  snapshotMessage,
  statsMessage,
  thingFrame,
  thingFrames,
  thingsMessage,
} from "./binary.mjs";
import { advance, crowd, hexes, rowsOf } from "./crowd.mjs";
import { feedsOf, inventedProfile, scenes } from "./scenes.mjs";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const PORT = Number(process.argv[2] ?? 8099);
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
  "require-trusted-types-for 'script'; trusted-types default svelte-trusted-html";

const named = process.env.KENTONGAN_FAKE_PROFILE;
const profile =
  named && existsSync(named)
    ? JSON.parse(readFileSync(named, "utf8"))
    : inventedProfile();
// A crowd of Things moves four times a second; below its zoom it is told as cells.
const CROWD = Number(process.env.KENTONGAN_FAKE_THINGS ?? 5000);
const TICK_MS = 250;
const CELLS_BELOW = 9;
scenes.crowd = { ...scenes.flood, crowd: true };
scenes.cells = { ...scenes.flood, crowd: true, cells: true };
let people = null;
let scene = "flood";
let refuse = false;
let offset = 100;
const sockets = new Set();

/** The scene's own clock: it starts at a fixed minute and then runs. */
const started = Date.now();
const clock = () => scenes[scene].start + (Date.now() - started);
const iso = (ms) => new Date(ms).toISOString();

function frame(body) {
  const head =
    body.length < 126
      ? Buffer.from([0x82, body.length])
      : body.length < 65536
        ? Buffer.from([0x82, 126, body.length >> 8, body.length & 255])
        : Buffer.concat([Buffer.from([0x82, 127]), eight(body.length)]);
  return Buffer.concat([head, body]);
}

function eight(n) {
  const b = Buffer.alloc(8);
  b.writeBigUInt64BE(BigInt(n));
  return b;
}

function opOf(chunk) {
  if (chunk.length < 6 || (chunk[0] & 15) !== 1) return null;
  let at = 2;
  if ((chunk[1] & 127) === 126) at = 4;
  const mask = chunk.subarray(at, at + 4);
  const body = chunk.subarray(at + 4).map((b, i) => b ^ mask[i % 4]);
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}

function snapshot(view) {
  const now = clock();
  const { things, ...cases } = scenes[scene].make(now, iso);
  let frames = thingFrames(now, things);
  if (scenes[scene].crowd) {
    people ??= crowd(CROWD);
    frames =
      scenes[scene].cells || view.zoom < CELLS_BELOW
        ? hexes(people, 0.022, now).map(([layer, list]) =>
            cellFrame(now, layer, list),
          )
        : rowsOf(people, iso(now)).map(({ kind, rows }) =>
            thingFrame(now, kind, rows, true),
          );
  }
  return snapshotMessage(
    `dev:${offset}`,
    frames,
    cases,
    feedsOf(scene, now, iso),
  );
}

function moved() {
  advance(people, TICK_MS / 1000);
  const now = clock();
  return thingsMessage(
    rowsOf(people, iso(now)).map(({ kind, rows }) =>
      thingFrame(now, kind, rows, false),
    ),
  );
}

const server = createServer((req, res) => {
  const url = new URL(req.url, "http://local");
  const say = (code, body, type = "application/json") => {
    res.writeHead(code, {
      "content-type": type,
      "content-security-policy": CSP,
      "cache-control": "no-store",
    });
    res.end(body);
  };
  if (url.pathname === "/fake/scene") {
    scene = url.searchParams.get("name") ?? scene;
    return say(200, `"${scene}"`);
  }
  if (url.pathname === "/fake/drop") {
    refuse = true;
    for (const s of sockets) s.destroy();
    return say(200, "true");
  }
  if (url.pathname === "/fake/heal") {
    refuse = false;
    return say(200, "true");
  }
  if (url.pathname === "/api/v1/profile")
    return say(200, JSON.stringify(profile));
  if (url.pathname === "/api/v1/session") {
    return say(req.method === "POST" ? 403 : 200, "{}");
  }
  const page = { "/wall": "wall.html", "/login": "login.html" }[url.pathname];
  const file = join(DIST, page ?? normalize(url.pathname));
  if (!file.startsWith(DIST) || !existsSync(file) || file === DIST)
    return say(404, "{}");
  return say(
    200,
    readFileSync(file),
    TYPES[extname(file)] ?? "application/octet-stream",
  );
});

server.on("upgrade", (req, socket) => {
  if (refuse) return socket.destroy();
  const key = req.headers["sec-websocket-key"];
  const accept = createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: kentongan.v1\r\n\r\n`,
  );
  sockets.add(socket);
  const send = (m) => socket.destroyed || socket.write(frame(m));
  let looked = null;
  send(hello(clock(), "dev", scenes[scene].storage ?? "durable"));
  socket.on("data", (chunk) => {
    const op = opOf(chunk);
    if (op?.op !== "view") return;
    looked = op;
    send(snapshot(looked));
  });
  const tick = setInterval(() => {
    const s = scenes[scene];
    if (!looked || !s.crowd || s.cells || looked.zoom < CELLS_BELOW) return;
    people ??= crowd(CROWD);
    send(moved());
  }, TICK_MS);
  const beat = setInterval(() => {
    send(feedsMessage(feedsOf(scene, clock(), iso)));
    send(
      statsMessage({
        event_p50: 62,
        event_p99: 171,
        receipt_p50: 9,
        receipt_p99: 40,
      }),
    );
  }, 1000);
  const end = () => {
    clearInterval(beat);
    clearInterval(tick);
    sockets.delete(socket);
  };
  socket.on("close", end);
  socket.on("error", end);
});

server.listen(PORT, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${PORT}/wall`);
});
