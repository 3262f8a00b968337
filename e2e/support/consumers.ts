import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Configuration as RspackConfiguration, rspack } from "@rspack/core";
import { build as esbuild } from "esbuild";
import * as vite8 from "vite";
import * as vite7 from "vite-7";
import webpack from "webpack";
import { type App, makeApp } from "./app.ts";
import { serveApp, type Site, STRICT_HEADERS } from "./sites.ts";
import { serveFiles, type StaticServerOptions } from "../../scripts/serve-files.mjs";

/** Where the files are that no bundler has moved. */
const PACKAGE = "node_modules/stem-sqlite/dist/package";
const FILES = ["browser-engine-thread.js", "sqlite3.wasm"];

/** What differs between the two versions of Vite is nothing that is used here. */
const VITE = { 7: vite7 as unknown as typeof vite8, 8: vite8 };

/** Every way of using the package that is tested and works, by what it is called. */
export const CONSUMERS: Readonly<Record<string, () => Promise<Site>>> = {
  "Vite 8, in development": () => viteDev(8),
  "Vite 8, built": () => viteBuild(8),
  "Vite 7, in development, with optimizeDeps.exclude": () => viteDev(7, [], ["stem-sqlite"]),
  "Vite 7, in development, inline": () => viteDev(7, ["inline"]),
  "Vite 7, built": () => viteBuild(7),
  "webpack 5": () => packBuild(webpack),
  Rspack: () => packBuild(rspack),
  "esbuild, with both files beside the bundle": () => esbuildBundle("esm", [], ""),
  "esbuild, told where the files are": () => esbuildBundle("iife", ["script", "told"], "static"),
  "esbuild, inline": () => esbuildBundle("iife", ["script", "inline"]),
  "no bundler, with an import map": async () => serveApp(await fixture("import-map"), ""),
  "one file, inline, with a policy that allows workers from Blobs": () => oneFile("worker-src 'self' blob:"),
  "the strictest policy": async () => viteBuild(8, { headers: STRICT_HEADERS }),
  "another origin, through createWorker": otherOrigin,
};

/** Vite's development server, without any configuration but what is said here. */
export async function viteDev(version: 7 | 8, fixtures: readonly string[] = [], exclude?: string[]): Promise<Site> {
  const app = await fixture(...fixtures);
  const server = await VITE[version].createServer({
    root: app.path,
    configFile: false,
    logLevel: "silent",
    server: { host: "127.0.0.1", port: 0, hmr: false },
    ...(exclude === undefined ? {} : { optimizeDeps: { exclude } }),
  });
  await server.listen();
  const [url = ""] = server.resolvedUrls?.local ?? [];
  const close = async (): Promise<void> => {
    await server.close();
    await app.remove();
  };
  return { url, close };
}

/** The page with everything in one file, and a policy that says this of workers. */
export async function oneFile(workers: string): Promise<Site> {
  const app = await fixture("inline");
  const site = join(app.path, "site");
  await mkdir(site);
  for (const name of ["main.mjs", "jobs.mjs", "service.mjs"]) await cp(join(app.path, name), join(site, name));
  await cp(join(app.path, PACKAGE, "inline.js"), join(site, "stem-sqlite.js"));
  await cp(join(app.path, "import-map.html"), join(site, "index.html"));
  const policy = `default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; ${workers}`;
  return serveApp(app, "site", { headers: { "content-security-policy": policy } });
}

const fixture = (...names: readonly string[]): Promise<App> =>
  makeApp("fixtures/app", ...names.map((name) => `fixtures/${name}`));

async function viteBuild(version: 7 | 8, options?: StaticServerOptions): Promise<Site> {
  const app = await fixture();
  await VITE[version].build({ root: app.path, configFile: false, logLevel: "silent" });
  return serveApp(app, "dist", options);
}

/** What webpack and Rspack have in common. */
interface Compiler {
  run(callback: (error: Error | null, stats?: { hasErrors(): boolean; toString(): string }) => void): void;
}

async function packBuild(
  create: (configuration: webpack.Configuration & RspackConfiguration) => Compiler | null,
): Promise<Site> {
  const app = await fixture("script");
  const output = { path: join(app.path, "out"), filename: "main.js" };
  // Which file to start from, and where to write: nothing that the package would need.
  const compiler = create({ mode: "production", context: app.path, entry: "./main.mjs", output, performance: false });
  await new Promise<void>((resolve, reject) => {
    compiler?.run((error, stats) => {
      if (error !== null || stats?.hasErrors() !== false) reject(error ?? new Error(stats?.toString()));
      else resolve();
    });
  });
  await cp(join(app.path, "index.html"), join(app.path, "out/index.html"));
  return serveApp(app, "out");
}

/** `esbuild main.mjs --bundle`, with the files of the package copied into a folder of the site. */
async function esbuildBundle(format: "esm" | "iife", fixtures: readonly string[], copied?: string): Promise<Site> {
  const app = await fixture(...fixtures);
  const out = join(app.path, "out");
  const { warnings } = await esbuild({
    entryPoints: [join(app.path, "main.mjs")],
    bundle: true,
    format,
    outfile: join(out, format === "esm" ? "main.mjs" : "main.js"),
    logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error(`esbuild warns: ${warnings.map(({ text }) => text).join("; ")}`);
  await cp(join(app.path, "index.html"), join(out, "index.html"));
  if (copied !== undefined) {
    for (const name of FILES) await cp(join(app.path, PACKAGE, name), join(out, copied, name));
  }
  return serveApp(app, "out");
}

/** The page on one origin, the package on another one. */
async function otherOrigin(): Promise<Site> {
  const app = await fixture("cdn");
  const cdn = await serveFiles({ "": join(app.path, PACKAGE) }, { headers: { "access-control-allow-origin": "*" } });
  const page = join(app.path, "index.html");
  await writeFile(page, (await readFile(page, "utf8")).replaceAll("CDN", cdn.origin));
  const site = await serveApp(app, "");
  const close = async (): Promise<void> => {
    await site.close();
    await cdn.close();
  };
  return { url: site.url, close };
}
