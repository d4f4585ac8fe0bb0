import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The gallery is built by itself: it holds nearly every component, and what a page shares with it would be cut into other pieces for its sake
// (DECISIONS.md, 59).
export default defineConfig({
  base: "/",
  publicDir: false,
  plugins: [svelte()],
  build: {
    target: ["chrome111", "firefox114", "safari16.4"],
    assetsInlineLimit: 0,
    emptyOutDir: false,
    rolldownOptions: {
      input: { gallery: "gallery.html" },
      output: {
        entryFileNames: "assets/gallery-[name]-[hash].js",
        chunkFileNames: "assets/gallery-[name]-[hash].js",
        codeSplitting: {
          groups: [{ name: "maplibre", test: /node_modules[\\/]maplibre-gl/ }],
        },
      },
    },
  },
});
