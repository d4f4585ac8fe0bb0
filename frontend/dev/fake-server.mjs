// A small stand-in for the real server, for looking at screens while they are drawn: serves dist/, a profile and a live socket
// with invented scenes. Not used by any test. Usage: node dev/fake-server.mjs [port]; KENTONGAN_FAKE_PROFILE may name a profile's JSON.
// GET /fake/scene?name=calm|flood|empty|odd|simulated|crowd|cells|recolour|cases|changes changes the scene, GET /fake/drop closes sockets and refuses new ones, /fake/heal lets them in.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import {
  caseMessage,
  cellFrame,
  cellsMessage,
  feedsMessage,
  hello,
  snapshotMessage,
  statsMessage,
  thingFrame,
  thingFrames,
  thingsMessage,
} from "./binary.mjs";
import { advance, crowd, hexes, rowsOf } from "./crowd.mjs";
import { manyCases, manyHexes, recoloured, someOf } from "./pace.mjs";
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
const { scenes: items } = JSON.parse(
  readFileSync(new URL("../../server/walls/scenes.json", import.meta.url)),
);
/** A person's window, as the house tells it. */
const WALL = { id: "", name: "", tour: [], dwell_s: 20, language: "id" };
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "worker-src 'self'; media-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; " +
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
// For measuring: 5,000 cells that change their colour, 200 cases that change ten times a second, and both with Things at 1,000 changes a second.
scenes.recolour = { ...scenes.flood, crowd: true, cells: true, hexes: true };
scenes.cases = { ...scenes.flood, many: true };
scenes.changes = { ...scenes.flood, many: true, crowd: true, some: true };
let people = null;
let cases = null;
let grid = null;
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

/** What a client says, one after the other: several messages may lie in one chunk, and one in several. */
function listen(heard) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2) {
      const short = rest[1] & 127;
      const at = short === 126 ? 4 : 2;
      if (rest.length < at + 4) return;
      const size = short === 126 ? rest.readUInt16BE(2) : short;
      const end = at + 4 + size;
      if (rest.length < end) return;
      const mask = rest.subarray(at, at + 4);
      const body = rest.subarray(at + 4, end).map((b, i) => b ^ mask[i % 4]);
      if ((rest[0] & 15) === 1) heard(JSON.parse(Buffer.from(body).toString()));
      rest = rest.subarray(end);
    }
  };
}

function snapshot(view) {
  const now = clock();
  const { things, ...made } = scenes[scene].make(now, iso);
  if (scenes[scene].many) {
    cases ??= manyCases(200, now, iso);
    made.incidents = cases;
  }
  let frames = thingFrames(now, things);
  if (scenes[scene].hexes) {
    grid ??= manyHexes(5_000, now);
    frames = [cellFrame(now, "truck", grid)];
  } else if (scenes[scene].crowd) {
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
    made,
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
  if (url.pathname === "/fake/case") {
    // A new case, to see when a screen shows it.
    const doc = recoloured.newCase(clock(), iso);
    cases?.push(doc); // a later snapshot has it too
    const sent = Date.now();
    for (const s of sockets)
      s.write(frame(caseMessage("incident", `dev:${++offset}`, doc)));
    return say(200, JSON.stringify({ number: doc.number, sent }));
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
  // Until it is told what it shows, a wall shows what visitors may see.
  if (url.pathname === "/api/v1/scenes")
    return say(200, JSON.stringify({ items }));
  if (url.pathname === "/api/v1/walls/me")
    return say(200, JSON.stringify({ ...WALL, scene: "normal" }));
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
  socket.on(
    "data",
    listen((op) => {
      if (op.op !== "view") return;
      looked = op;
      send(snapshot(looked));
    }),
  );
  const change = setInterval(() => {
    if (!looked || !cases || !scenes[scene].many) return;
    const doc = recoloured.nextCase(cases, clock(), iso);
    send(caseMessage("incident", `dev:${++offset}`, doc));
  }, 100);
  const tick = setInterval(() => {
    const s = scenes[scene];
    if (looked && s.hexes && grid) {
      send(
        cellsMessage([
          cellFrame(clock(), "truck", recoloured.cells(grid, clock()), false),
        ]),
      );
      return;
    }
    if (looked && s.some) {
      people ??= crowd(CROWD);
      advance(people, TICK_MS / 1000);
      const now = clock();
      send(
        thingsMessage(
          someOf(rowsOf(people, iso(now)), 248).map(({ kind, rows }) =>
            thingFrame(now, kind, rows, false),
          ),
        ),
      );
      return;
    }
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
    clearInterval(change);
    sockets.delete(socket);
  };
  socket.on("close", end);
  socket.on("error", end);
});

server.listen(PORT, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/wall`);
});
