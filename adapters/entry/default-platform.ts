import type { Platform, TextCodec } from "../../src/contracts/platform.ts";
import { UnsupportedEnvironmentError } from "../../src/errors.ts";
import { memoryStorage } from "../storage/memory.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const text: TextCodec = {
  write: (value, into, at) => encoder.encodeInto(value, into.subarray(at)).written,
  read: (from, at, length) => decoder.decode(from.subarray(at, at + length)),
};

/** Runs `callback` as its own turn of the event loop, without the delays that timers have. */
function defer(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}

/** A runtime this release has no storage for: memory only, and a typed error for everything else. */
export const defaultPlatform: Platform = {
  name: "default",
  text,
  defer,
  loadEngine: async () => {
    const response = await fetch(new URL("../sqlite/database/sqlite3.wasm", import.meta.url));
    return WebAssembly.compile(await response.arrayBuffer());
  },
  defaultStorage: () => {
    throw new UnsupportedEnvironmentError('a storage driver for files; use ":memory:" or pass options.storage');
  },
  memoryStorage: () => memoryStorage(),
};
