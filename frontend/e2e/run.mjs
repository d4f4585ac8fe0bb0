// Runs every e2e/*.spec.ts against a running server: KENTONGAN_URL, KENTONGAN_TOKEN (admin), CHROMIUM. One browser, one spec after the other.
import { readdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { build } from "vite";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

const here = fileURLToPath(new URL(".", import.meta.url));
const base = process.env.KENTONGAN_URL;
const token = process.env.KENTONGAN_TOKEN;
if (!base || !token) {
  console.error(
    "e2e: KENTONGAN_URL and KENTONGAN_TOKEN name the server to test",
  );
  process.exit(2);
}

/** What stood on the pages that a failed case left open, for whoever only has the log; then they are closed. */
async function leave(tell) {
  for (const context of browser.contexts()) {
    for (const page of tell ? context.pages() : []) {
      const text = await page
        .evaluate(() => document.body.innerText)
        .catch((fault) => fault.message);
      console.log(
        `--- ${page.url()}\n${text.replaceAll(/\s*\n\s*/g, " | ").slice(0, 3000)}`,
      );
    }
    await context.close();
  }
}

/** Node cannot run TypeScript by itself everywhere: the bundler that builds the pages builds the specs too. */
async function compile(specs, out) {
  await build({
    configFile: false,
    root: here,
    logLevel: "error",
    build: {
      ssr: true,
      outDir: out,
      emptyOutDir: true,
      rolldownOptions: {
        input: Object.fromEntries(
          specs.map((s) => [s.replace(".ts", ""), join(here, s)]),
        ),
        output: { format: "esm", entryFileNames: "[name].mjs" },
      },
    },
  });
}

const only = process.argv[2] ?? "";
const specs = readdirSync(here).filter((f) => f.endsWith(".spec.ts"));
const out = mkdtempSync(join(here, "../node_modules/.e2e-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  headless: true,
  args: [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
let failed = 0;
let ran = 0;
try {
  await compile(specs, out);
  for (const spec of specs) {
    const { default: cases } = await import(
      pathToFileURL(join(out, spec.replace(".ts", ".mjs"))).href
    );
    for (const [name, run] of Object.entries(cases)) {
      if (!`${spec} ${name}`.includes(only)) continue;
      const started = Date.now();
      ran++;
      try {
        await run({ browser, base, token });
        console.log(`ok   ${spec}: ${name} (${Date.now() - started} ms)`);
      } catch (fault) {
        failed++;
        console.log(`FAIL ${spec}: ${name}\n${fault.stack ?? fault}`);
        await leave(true);
      }
      await leave(false);
    }
  }
} finally {
  await browser.close();
  rmSync(out, { recursive: true, force: true });
}
console.log(`e2e: ${ran - failed} of ${ran} passed`);
process.exit(failed === 0 && ran > 0 ? 0 : 1);
