import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Chromium } from "./support/chromium.ts";
import { type Site, SITES } from "./support/sites.ts";
import { serveFiles, type StaticServer, type StaticServerOptions } from "./support/static-server.ts";

const ROOT = resolve(import.meta.dirname, "..");

let browser: Chromium;

beforeAll(async () => {
  browser = await Chromium.launch();
});
afterAll(async () => browser.close());

describe.each(Object.keys(SITES))("the package in %s", (name) => {
  let site: Site | undefined;

  afterEach(async () => site?.close());

  it("opens a queue in files of the browser and works it off", async () => {
    site = await SITES[name]?.();
    const tab = await browser.open(site?.url ?? "");
    await tab.call("open");
    await tab.call("work");
    const [id] = await tab.call<string[]>("enqueue", "world");
    expect(await tab.call("result", id)).toBe("Hello world");
    expect(await tab.call("backend")).toBe("opfs");
    await tab.call("close");
    expect(tab.faults).toEqual([]);
    await tab.close();
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
      wasmUrl: "/package/dist/adapters/sqlite/database/sqlite3.wasm?moved",
      workerUrl: "../package/dist/adapters/entry/browser-engine-thread.js?moved",
    });
    await tab.call("open");
    expect(server?.requests.filter((path) => path.endsWith("?moved"))).toHaveLength(2);
  });

  it.each([
    ["engine", { wasmUrl: "/package/no.wasm" }, /sqlite3\.wasm could not be loaded from .*no\.wasm; see wasmUrl/],
    ["worker", { workerUrl: "/package/no.js" }, /its thread ended while it opened the database/],
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
