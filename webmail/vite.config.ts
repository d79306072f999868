import { env } from "node:process";
import { defineConfig } from "vite";

/** Where `npx vite` sends what it does not serve itself: a service started by `make run`. */
const service = env.HONGYAN_URL ?? "http://localhost:8080";
const forwarded = { target: service, changeOrigin: false };

export default defineConfig({
  build: { target: "es2022", outDir: "dist", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: { proxy: { "/api": forwarded, "/jmap": forwarded, "/.well-known": forwarded } },
});
