// Holds the promise that the wall's own JavaScript, without the map library, stays within 120 KB gzip. Ends with 1 where it does not.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 120;
const dir = new URL("../dist/assets/", import.meta.url);
let own = 0;
let library = 0;
for (const name of readdirSync(dir).filter((f) => /\.m?js$/.test(f))) {
  const size = gzipSync(readFileSync(new URL(name, dir)), { level: 9 }).length;
  if (name.includes("maplibre")) library += size;
  else own += size;
}
const kb = (n) => (n / 1024).toFixed(1);
console.log(
  `JavaScript, gzip: ours ${kb(own)} KB of at most ${LIMIT_KB}, map library ${kb(library)} KB`,
);
if (own > LIMIT_KB * 1024) process.exitCode = 1;
