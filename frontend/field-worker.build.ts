// Builds the service worker of /field: one classic script at the root, so that every browser takes it, which knows by name all files that the page opens with.
import { createHash } from "node:crypto";
import { build, type Plugin } from "vite";

const PAGE = "src/views/field/main.ts";
const WORKER = "src/features/field/worker.ts";
/** From public/, which the bundle does not list. */
const BESIDE = ["/mark.svg", "/field.webmanifest"];

export function fieldWorker(): Plugin {
  return {
    name: "field-worker",
    apply: "build",
    async generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((c) => c.type === "chunk");
      const entry = chunks.find((c) =>
        [c.facadeModuleId ?? "", ...c.moduleIds].some((id) =>
          id.replaceAll("\\", "/").endsWith(PAGE),
        ),
      );
      if (!entry) return;
      const files = new Set<string>();
      const waiting = [entry.fileName];
      for (let name = waiting.pop(); name; name = waiting.pop()) {
        const chunk = chunks.find((c) => c.fileName === name);
        if (!chunk || files.has(name)) continue;
        files.add(name);
        waiting.push(...chunk.imports, ...chunk.dynamicImports);
        for (const sheet of chunk.viteMetadata?.importedCss ?? [])
          files.add(sheet);
        for (const asset of chunk.viteMetadata?.importedAssets ?? [])
          files.add(asset);
      }
      const names = [...files].sort().map((f) => `/${f}`);
      const page = bundle["field.html"];
      const version = createHash("sha256")
        .update(names.join("\n"))
        .update(page?.type === "asset" ? page.source : "")
        .digest("hex")
        .slice(0, 12);
      const made = await build({
        configFile: false,
        logLevel: "warn",
        publicDir: false,
        define: {
          FIELD_FILES: JSON.stringify([...names, ...BESIDE]),
          FIELD_VERSION: JSON.stringify(version),
        },
        build: {
          write: false,
          target: ["chrome111", "firefox114", "safari16.4"],
          rolldownOptions: { input: WORKER, output: { format: "iife" } },
        },
      });
      const out =
        "output" in made ? made : Array.isArray(made) ? made[0] : null;
      const code = out?.output[0].code;
      if (!code) throw new Error("the service worker was not built");
      // Nothing compiles runes here, and a worker that throws as it is read is never installed.
      if (/\$(state|derived|effect)\b/.test(code))
        throw new Error("the service worker imports what needs Svelte");
      this.emitFile({
        type: "asset",
        fileName: "field-worker.js",
        source: code,
      });
    },
  };
}
