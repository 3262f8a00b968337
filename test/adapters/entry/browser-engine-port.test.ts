import { afterEach, describe, expect, it } from "vitest";
import { spawnBrowserEngine } from "../../../adapters/entry/browser-engine-port.ts";
import { configureBrowser } from "../../../adapters/entry/browser-options.ts";
import { browserPlatform, separateFiles } from "../../../adapters/entry/separate-files.ts";
import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { InvalidOptionError, UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { FakeClock } from "../../../src/testing/index.ts";

/** A worker that does what the test says. */
class FakeWorker {
  readonly sent: unknown[] = [];
  isTerminated = false;
  readonly #listeners: [type: string, listener: (event: object) => void][] = [];

  postMessage(message: unknown): void {
    this.sent.push(message);
  }

  terminate(): void {
    this.isTerminated = true;
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.push([type, listener]);
  }

  fire(type: string, event: object): void {
    for (const [listened, listener] of this.#listeners) if (listened === type) listener(event);
  }
}

describe("the engine's worker in a browser", () => {
  afterEach(() => configureBrowser({}));

  it("is told first which storage to use, and where the engine is", async () => {
    const worker = new FakeWorker();
    configureBrowser({ createWorker: () => worker, wasmUrl: "https://example.org/sqlite3.wasm" });
    const port = await spawnBrowserEngine(separateFiles, "opfs");
    port.postMessage("next");
    expect(worker.sent).toEqual([
      { type: "start", storage: "opfs", engine: "https://example.org/sqlite3.wasm" },
      "next",
    ]);
  });

  it("passes messages on until it has ended, and tells its end once", async () => {
    const worker = new FakeWorker();
    configureBrowser({ createWorker: () => worker });
    const port = await spawnBrowserEngine(separateFiles, "opfs");
    const [messages, ends]: [unknown[], unknown[]] = [[], []];
    port.onMessage((message) => messages.push(message));
    port.onExit((fault) => ends.push(fault));
    worker.fire("message", { data: 1 });
    await port.terminate();
    await port.terminate();
    worker.fire("message", { data: 2 });
    expect(messages).toEqual([1]);
    expect(ends).toEqual([undefined]);
    expect(worker.isTerminated).toBe(true);
  });

  it("has ended with a fault when it could not be loaded, or threw", async () => {
    for (const [event, text] of [
      [{}, "could not be loaded"],
      [{ message: "Uncaught Error: broken" }, "broken"],
    ] as const) {
      const worker = new FakeWorker();
      configureBrowser({ createWorker: () => worker });
      const port = await spawnBrowserEngine(separateFiles, "opfs");
      const end = new Promise((resolve) => port.onExit(resolve));
      worker.fire("error", event);
      expect(String(await end)).toContain(text);
      expect(worker.isTerminated).toBe(true);
    }
  });

  it("is a typed error where there are no workers", async () => {
    await expect(spawnBrowserEngine(separateFiles, "opfs")).rejects.toThrow(UnsupportedEnvironmentError);
  });

  it("is offered for storage of the browser, on the system's clock", () => {
    configureBrowser({ createWorker: () => new FakeWorker() });
    expect(browserPlatform.engineThreads?.(browserPlatform.defaultStorage(), undefined)).toBeTypeOf("function");
    expect(browserPlatform.engineThreads?.(indexedDbStorage(), undefined)).toBeTypeOf("function");
    expect(browserPlatform.engineThreads?.(indexedDbStorage(), new FakeClock())).toBeUndefined();
    expect(browserPlatform.engineThreads?.(memoryStorage(), undefined)).toBeUndefined();
    configureBrowser({});
    expect(browserPlatform.engineThreads?.(indexedDbStorage(), undefined)).toBeUndefined();
  });

  it("refuses options that cannot be", () => {
    const createWorker = (): FakeWorker => new FakeWorker();
    for (const options of [
      { createWorker: 7 },
      { createWorker, workerUrl: "https://example.org/worker.js" },
      { workerUrl: "//" },
      { wasmURL: "https://example.org/" },
    ]) {
      expect(() => configureBrowser(options as object)).toThrow(InvalidOptionError);
    }
  });
});
