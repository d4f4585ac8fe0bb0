// npm leaves optional packages of other platforms out of the lock when it cannot fetch them, and `npm ci` then refuses the lock.
// This names each of them with the platform that its own name tells. Run it after every change of the lock (npm run lock).
import { readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("../package-lock.json", import.meta.url);
const SYSTEMS = "darwin|linux|win32|android|freebsd|openbsd|netbsd|openharmony";
const CPUS = "x64|arm64|aarch64|arm|ia32|ppc64|riscv64|s390x|loong64";
const PLATFORM = new RegExp(`(?:^|[-/])(${SYSTEMS})-(${CPUS})`);

function describe(name, version) {
  const hit = PLATFORM.exec(name);
  if (!hit || !/^\d/.test(version)) {
    throw new Error(`${name}@${version}: the name does not tell its platform`);
  }
  const entry = {
    version,
    optional: true,
    os: [hit[1]],
    cpu: [hit[2] === "aarch64" ? "arm64" : hit[2]],
  };
  if (/-musl/.test(name)) entry.libc = ["musl"];
  if (/-gnu/.test(name)) entry.libc = ["glibc"];
  return entry;
}

const lock = JSON.parse(readFileSync(FILE, "utf8"));
let added = 0;
for (const [where, pkg] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(
    pkg.optionalDependencies ?? {},
  )) {
    const top = `node_modules/${name}`;
    if (lock.packages[`${where}/${top}`] || lock.packages[top]) continue;
    lock.packages[top] = describe(name, version);
    added++;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`lock-fill: ${added} optional packages named`);
