// What "stem-sqlite/browser" exports: what only pages need.
export { type BrowserOptions, configureBrowser, type EngineWorker } from "./browser-options.ts";
export { requestPersistence } from "./browser-origin.ts";
