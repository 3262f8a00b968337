import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, createServer, type InlineConfig } from "vite";
import { serveFiles } from "./static-server.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** The page of the tests, as one kind of user would serve it. */
export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Every way of serving the page that is tested, by what it is called. */
export const SITES: Readonly<Record<string, () => Promise<Site>>> = {
  "files as they are, with an import map": plainSite,
  "a Vite build": viteBuild,
  "Vite's development server": viteDev,
};

/** No bundler: the package's files, and an import map in the page. */
export async function plainSite(): Promise<Site> {
  const server = await serveFiles({ package: ROOT, pages: join(ROOT, "e2e/pages") });
  return { url: `${server.origin}/pages/queue.html`, close: () => server.close() };
}

/** Bundled by Vite without any configuration, and served with a strict policy. */
export async function viteBuild(): Promise<Site> {
  const app = await makeApp();
  await build({ ...configOf(app), build: { outDir: join(app, "out"), assetsInlineLimit: 0 } });
  // Nothing makes code from text, so a strict policy is fine.
  const headers = { "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" };
  const server = await serveFiles({ "": join(app, "out"), assets: join(app, "out/assets") }, { headers });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(app, { recursive: true, force: true });
  };
  return { url: `${server.origin}/`, close };
}

async function viteDev(): Promise<Site> {
  const app = await makeApp();
  const server = await createServer({ ...configOf(app), server: { host: "127.0.0.1", port: 0, hmr: false } });
  await server.listen();
  const [url = ""] = server.resolvedUrls?.local ?? [];
  const close = async (): Promise<void> => {
    await server.close();
    await rm(app, { recursive: true, force: true });
  };
  return { url, close };
}

/** No configuration at all is what a user has; this is only where the app is, and silence. */
function configOf(root: string): InlineConfig {
  return { root, configFile: false, logLevel: "warn", cacheDir: join(root, "cache") };
}

/** An app with the package installed. */
async function makeApp(): Promise<string> {
  const app = await mkdtemp(join(tmpdir(), "stem-sqlite-app-"));
  const installed = join(app, "node_modules/stem-sqlite");
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, "package.json"), join(installed, "package.json"));
  for (const folder of ["dist/src", "dist/adapters"]) {
    await cp(join(ROOT, folder), join(installed, folder), { recursive: true });
  }
  await cp(join(ROOT, "e2e/pages/queue.mjs"), join(app, "queue.mjs"));
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  const page = '<!doctype html><title>app</title><script type="module" src="/queue.mjs"></script>';
  await writeFile(join(app, "index.html"), page);
  return app;
}
