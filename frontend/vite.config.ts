import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { fieldWorker } from "./field-worker.build";

// The paraglide Vite plugin keeps the process alive, so messages are compiled by its command (npm run i18n).
export default defineConfig({
  base: "/",
  plugins: [svelte(), fieldWorker()],
  worker: { format: "es" },
  build: {
    target: ["chrome111", "firefox114", "safari16.4"],
    // Nothing is inlined: the Content-Security-Policy lets fonts come from our own origin only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: {
        wall: "wall.html",
        console: "console.html",
        login: "login.html",
        admin: "admin.html",
        briefing: "briefing.html",
        field: "field.html",
        public: "public.html",
      },
      output: {
        codeSplitting: {
          groups: [
            { name: "maplibre", test: /node_modules[\\/]maplibre-gl/ },
            // Loaded with a PMTiles base map only.
            {
              name: "maplibre-pmtiles",
              test: /node_modules[\\/](pmtiles|fflate)[\\/]/,
            },
          ],
        },
      },
    },
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          environment: "jsdom",
          // One document for all files of a worker: a document for each took six times as long as the tests. Whoever stubs a global
          // gives it back (vi.unstubAllGlobals).
          isolate: false,
          setupFiles: ["src/i18n/tests.setup.ts"],
          include: ["src/**/*.test.ts"],
        },
      },
    ],
  },
});
