import type { Platform } from "../../src/contracts/platform.ts";
import { UnsupportedEnvironmentError } from "../../src/errors.ts";
import { memoryStorage } from "../storage/memory.ts";
import { webDefer, webText } from "./web-host.ts";

/** A runtime this release has no storage for: memory only, and a typed error for everything else. */
export const defaultPlatform: Platform = {
  name: "default",
  text: webText,
  defer: webDefer,
  loadEngine: async () => {
    const response = await fetch(new URL("./sqlite3.wasm", import.meta.url));
    return WebAssembly.compile(await response.arrayBuffer());
  },
  defaultStorage: () => {
    throw new UnsupportedEnvironmentError('a storage driver for files; use ":memory:" or pass options.storage');
  },
  memoryStorage: () => memoryStorage(),
};
