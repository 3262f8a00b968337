import { readFile } from "node:fs/promises";
import type { EngineHost, Platform, TextCodec } from "../../src/contracts/platform.ts";
import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { memoryStorage } from "../storage/memory.ts";
import { nodeStorage } from "../storage/node.ts";
import { contextId, hasEnded } from "./node-context.ts";
import { spawnNodeEngine } from "./node-engine-port.ts";

/** Taken here, as a test may replace the global one by a timer that waits for the test. */
const immediately = setImmediate;
let module: Promise<WebAssembly.Module> | undefined;
let storage: StorageDriver | undefined;

/** Reads and compiles the engine once per thread. */
function loadEngine(): Promise<WebAssembly.Module> {
  module ??= readFile(new URL("./sqlite3.wasm", import.meta.url)).then((bytes) => WebAssembly.compile(bytes));
  return module;
}

/** `Buffer` copies short text two to four times faster than `TextEncoder` and `TextDecoder`. */
function createNodeTextCodec(): TextCodec {
  let buffer: Buffer = Buffer.alloc(0);
  const over = (bytes: Uint8Array): Buffer => {
    if (buffer.buffer !== bytes.buffer) buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return buffer;
  };
  return {
    write: (text, into, at) => (text.length === 0 ? 0 : over(into).write(text, at)),
    read: (from, at, length) => over(from).toString("utf8", at, at + length),
  };
}

/** What the engine needs of this thread. */
export const nodeEngineHost: EngineHost = {
  loadEngine,
  text: createNodeTextCodec(),
  defer: (callback) => void immediately(callback),
  contextName: `process ${process.pid}`,
  contextId: contextId(),
  hasEnded,
};

/** Node, and what is compatible with it: files, memory, and engine threads for files. */
export const nodePlatform: Platform = {
  ...nodeEngineHost,
  name: "node",
  engineTimeout: 60_000,
  defaultStorage: () => (storage ??= nodeStorage()),
  memoryStorage: () => memoryStorage(),
  // A clock of the caller's own cannot be shared with a thread.
  engineThreads: (driver, clock) => (driver.name === "node" && clock === undefined ? spawnNodeEngine : undefined),
};
