import { WasmDatabase } from "../../adapters/sqlite/database/wasm-database.ts";

/** Told of every commit of every database in this thread, just before and just after. */
export interface CommitObserver {
  /** Inside the transaction: what is read is what the commit would make durable. */
  before(database: WasmDatabase): void;
  after(error: unknown): void;
}

/** Lets `observer` see all commits until the returned function is called. Only one observer at a time. */
export function watchCommits(observer: CommitObserver): () => void {
  const original = Object.getOwnPropertyDescriptor(WasmDatabase.prototype, "run")?.value as WasmDatabase["run"];
  let reading = false;
  WasmDatabase.prototype.run = function run(this: WasmDatabase, sql, parameters) {
    if (sql !== "commit" || reading) return original.call(this, sql, parameters);
    reading = true;
    observer.before(this);
    reading = false;
    try {
      const changed = original.call(this, sql, parameters);
      observer.after(undefined);
      return changed;
    } catch (error) {
      observer.after(error);
      throw error;
    }
  };
  return () => {
    WasmDatabase.prototype.run = original;
  };
}
