export { sqlJsEngine } from "./sqljs-engine.ts";
export type { SqlJsEngineOptions, SqlJsHandle, SqlJsLibrary, SqlJsStatement } from "./sqljs-library.ts";
