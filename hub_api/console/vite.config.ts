import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Relative addresses: the hub may stand behind a proxy that gives it a prefix.
// No inlined assets: the content security policy allows no data: scripts and fonts.
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  build: {
    target: ["chrome109", "firefox115", "safari16.4"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8120", ws: true } } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
