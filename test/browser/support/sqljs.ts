import initSqlJs from "sql.js";
import { sqlJsEngine } from "../../../adapters/sqljs/index.ts";
import type { SqlEngine } from "../../../src/contracts/sql-engine.ts";

/** The second engine, with its file from where the test server has it. */
export function sqlJsInBrowser(): SqlEngine {
  const wasm = new URL("../../../node_modules/sql.js/dist/sql-wasm-browser.wasm", import.meta.url);
  return sqlJsEngine({ initSqlJs: () => initSqlJs({ locateFile: () => wasm.href }) });
}
