import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "vite";
import { type App, makeApp } from "./app.ts";
import { serveFiles, type StaticServerOptions } from "../../scripts/serve-files.mjs";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * What a page's policy may be at its strictest: nothing from elsewhere, no text that becomes code, workers through
 * Trusted Types only.
 */
export const STRICT_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types stem-sqlite",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** A page that is being served. */
export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** The page of e2e/pages, with the package's files as they are and an import map. */
export async function plainSite(): Promise<Site> {
  const server = await serveFiles({ package: ROOT, pages: join(ROOT, "e2e/pages") });
  return { url: `${server.origin}/pages/queue.html`, close: () => server.close() };
}

/** The page of e2e/pages, bundled by Vite without any configuration, and served with a strict policy. */
export async function viteBuild(): Promise<Site> {
  const app = await makeApp("pages");
  const page = '<!doctype html><title>app</title><script type="module" src="/queue.mjs"></script>';
  await writeFile(join(app.path, "index.html"), page);
  await build({ root: app.path, configFile: false, logLevel: "warn" });
  return serveApp(app, "dist", { headers: STRICT_HEADERS });
}

/** Serves a folder of an app, and removes the app in the end. */
export async function serveApp(app: App, folder: string, options?: StaticServerOptions): Promise<Site> {
  const server = await serveFiles({ "": join(app.path, folder) }, options);
  const close = async (): Promise<void> => {
    await server.close();
    await app.remove();
  };
  return { url: `${server.origin}/`, close };
}
