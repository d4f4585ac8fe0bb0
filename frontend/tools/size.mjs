// Holds the promise that no page's own JavaScript, without the map library, is over 120 KB gzip when it opens, nor over a bound of its own with everything
// counted in that is loaded later, on some act (DECISIONS.md, 13 and 16). Ends with 1 where one is.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 120;
/** A desk opens in the middle of an alarm: what it opens with is held tighter. */
/** A briefing is read on a telephone as well, in a car on its way. */
const FIRST_KB = { "console.html": 100, "briefing.html": 50, "field.html": 60 };
/** The pages of /admin come one by one, each of 12 KB at most; what walls show and what they are set to are told apart. */
const LATER_KB = {
  "admin.html": 220,
  "console.html": 288, // words for every kind of Thing and what it measures, walls to steer (DECISIONS.md, 78), the socket's thread (92), marks side by side (94)
  "briefing.html": 60,
  "field.html": 60,
  // Nearly all components at once; designers and tests open it, on no slow line (DECISIONS.md, 59).
  "gallery.html": 220,
};
/** A phone in the hills gets no map library: it has a map of its own. */
const NO_MAP = ["field.html"];
const LATER_ELSE_KB = 140;
/** The player of moving pictures comes when the first camera is opened that has some, and with no page. */
const PLAYER_KB = 125;
const isPlayer = (name) => /^hls/.test(name);
/** What a problem is called, and why: one file for all pages, that comes with the first problem and with no page (DECISIONS.md, 64). */
const WORDS_KB = 13;
const isWords = (name) => /^problem-words/.test(name);
const dist = new URL("../dist/", import.meta.url);
const sizes = new Map();

/** The scripts that a text of the build names, by their file name. */
const named = (text) => [
  ...new Set([...text.matchAll(/[\w.-]+\.m?js\b/g)].map(([name]) => name)),
];

/** The scripts that are fetched with it, before anything runs. */
const joined = (text) =>
  [...text.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.m?js)"/g)].map(
    ([, name]) => name,
  );

function read(name) {
  let known = sizes.get(name);
  if (!known) {
    const bytes = readFileSync(new URL(`assets/${name}`, dist));
    const size = gzipSync(bytes, { level: 9 }).length;
    const library = name.includes("maplibre") || isPlayer(name);
    const next = library ? [] : named(`${bytes}`);
    known = { size, next, first: library ? [] : joined(`${bytes}`) };
    sizes.set(name, known);
  }
  return known;
}

const scripts = new Set(
  readdirSync(new URL("assets/", dist)).filter((f) => /\.m?js$/.test(f)),
);

/** Bytes of ours and of the map library, from a page on; `first`: only what it opens with. */
function sum(page, first) {
  const waiting = named(`${readFileSync(new URL(page, dist))}`);
  const seen = new Set();
  const total = { own: 0, library: 0, player: 0, words: 0 };
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (!scripts.has(name) || seen.has(name)) continue;
    seen.add(name);
    const script = read(name);
    const part = isPlayer(name) ? "player" : isWords(name) ? "words" : "own";
    total[name.includes("maplibre") ? "library" : part] += script.size;
    waiting.push(...(first ? script.first : script.next));
  }
  return total;
}

for (const page of readdirSync(dist).filter((f) => f.endsWith(".html"))) {
  const { own } = sum(page, true);
  const all = sum(page, false);
  const later = LATER_KB[page] ?? LATER_ELSE_KB;
  const limit = FIRST_KB[page] ?? LIMIT_KB;
  const kb = (n) => (n / 1024).toFixed(1);
  console.log(
    `${page}: JavaScript, gzip: ours ${kb(own)} KB of at most ${limit}, with what comes later ${kb(all.own)} of ${later}, map library ${kb(all.library)} KB, player ${kb(all.player)} KB, words of problems ${kb(all.words)} KB`,
  );
  if (all.words > WORDS_KB * 1024 || sum(page, true).words > 0)
    process.exitCode = 1;
  if (all.player > PLAYER_KB * 1024 || sum(page, true).player > 0)
    process.exitCode = 1;
  if (own > limit * 1024 || all.own > later * 1024) process.exitCode = 1;
  if (NO_MAP.includes(page) && all.library > 0) process.exitCode = 1;
}
