// Holds the promise that no page's own JavaScript, without the map library, is over 120 KB gzip, whatever of it is loaded later counted in.
// Ends with 1 where one is.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 120;
const dist = new URL("../dist/", import.meta.url);
const sizes = new Map();

/** The scripts that a text of the build names, by their file name. */
const named = (text) => [
  ...new Set([...text.matchAll(/[\w.-]+\.m?js\b/g)].map(([name]) => name)),
];

function read(name) {
  let known = sizes.get(name);
  if (!known) {
    const bytes = readFileSync(new URL(`assets/${name}`, dist));
    const size = gzipSync(bytes, { level: 9 }).length;
    known = { size, next: name.includes("maplibre") ? [] : named(`${bytes}`) };
    sizes.set(name, known);
  }
  return known;
}

const scripts = new Set(
  readdirSync(new URL("assets/", dist)).filter((f) => /\.m?js$/.test(f)),
);
for (const page of readdirSync(dist).filter((f) => f.endsWith(".html"))) {
  const waiting = named(`${readFileSync(new URL(page, dist))}`);
  const seen = new Set();
  const sum = { own: 0, library: 0 };
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (!scripts.has(name) || seen.has(name)) continue;
    seen.add(name);
    const { size, next } = read(name);
    sum[name.includes("maplibre") ? "library" : "own"] += size;
    waiting.push(...next);
  }
  const kb = (n) => (n / 1024).toFixed(1);
  console.log(
    `${page}: JavaScript, gzip: ours ${kb(sum.own)} KB of at most ${LIMIT_KB}, map library ${kb(sum.library)} KB`,
  );
  if (sum.own > LIMIT_KB * 1024) process.exitCode = 1;
}
