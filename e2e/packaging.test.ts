import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Chromium } from "./support/chromium.ts";
import { CONSUMERS, oneFile, viteDev } from "./support/consumers.ts";
import type { Site } from "./support/sites.ts";
import { serveFiles, type StaticServer, type StaticServerOptions } from "../scripts/serve-files.mjs";

const ROOT = resolve(import.meta.dirname, "..");

let browser: Chromium;
let site: Site | undefined;

beforeAll(async () => {
  browser = await Chromium.launch();
});
afterEach(async () => {
  await browser.closeTabs();
  await site?.close();
  site = undefined;
});
afterAll(async () => browser.close());

describe("the packed package in a page", () => {
  it.each(Object.keys(CONSUMERS))("keeps a job over a reload, and does it: %s", async (name) => {
    site = await CONSUMERS[name]?.();
    const tab = await browser.open(site?.url ?? "");
    const id = await tab.call("enqueue", "world");
    expect(await tab.call("refuses", id)).toBe(true);
    await tab.reload();
    expect(await tab.call("finish", id)).toBe("Hello world");
    expect(await tab.call("violations")).toEqual([]);
    expect(tab.faults).toEqual([]);
  });

  it("says what to do where Vite 7, in development, has moved the module and nothing else", async () => {
    site = await viteDev(7);
    const tab = await browser.open(site.url);
    await expect(tab.call("enqueue", "world")).rejects.toThrow(
      /EngineError.*its worker could not be loaded from .*; see configureBrowser, or import stem-sqlite\/inline/,
    );
  });

  it("works in a service worker, which has no workers and no import(), inline", async () => {
    site = await oneFile("worker-src 'self'");
    const tab = await browser.open(site.url);
    expect(await tab.call("publishInServiceWorker")).toBe(1);
    expect(await tab.call("publishInServiceWorker")).toBe(2);
  });

  it("says that a policy forbids workers from Blobs", async () => {
    site = await oneFile("worker-src 'self'");
    const tab = await browser.open(site.url);
    await expect(tab.call("enqueue", "world")).rejects.toThrow(
      /UnsupportedEnvironmentError.*a worker that is made from a Blob; .*worker-src blob:/,
    );
  });
});

describe("a server that is not as it should be", () => {
  let server: StaticServer | undefined;

  afterEach(async () => server?.close());

  async function serve(options: StaticServerOptions = {}): Promise<string> {
    server = await serveFiles({ package: ROOT, pages: join(ROOT, "e2e/pages") }, options);
    return `${server.origin}/pages/queue.html`;
  }

  it("may not know the type of WebAssembly", async () => {
    const tab = await browser.open(await serve({ types: { ".wasm": "text/plain" } }));
    await tab.call("open");
    expect(await tab.call("pending")).toBe(0);
  });

  it("may have the engine and the worker elsewhere", async () => {
    const tab = await browser.open(await serve());
    await tab.call("configure", {
      wasmUrl: "/package/dist/package/sqlite3.wasm?moved",
      workerUrl: "../package/dist/package/browser-engine-thread.js?moved",
    });
    await tab.call("open");
    expect(server?.requests.filter((path) => path.endsWith("?moved"))).toHaveLength(2);
  });

  it.each([
    ["engine", { wasmUrl: "/package/no.wasm" }, /sqlite3\.wasm could not be loaded from .*no\.wasm; see wasmUrl/],
    ["worker", { workerUrl: "/package/no.js" }, /its worker could not be loaded from .*\/no\.js/],
    [
      "worker of this origin",
      { workerUrl: "https://127.0.0.1:1/no.js" },
      /lacks a worker for the engine .*configureBrowser/,
    ],
  ])("may have no %s: opening says so", async (_part, options, message) => {
    const tab = await browser.open(await serve());
    await tab.call("configure", options);
    await expect(tab.call("open")).rejects.toThrow(message);
  });
});
