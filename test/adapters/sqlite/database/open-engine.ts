import { onTestFinished } from "vitest";
import { openDatabase, type OpenDatabaseOptions } from "../../../../adapters/sqlite/database/open-database.ts";
import { StorageFiles } from "../../../../adapters/sqlite/database/storage-files.ts";
import { WasmDatabase } from "../../../../adapters/sqlite/database/wasm-database.ts";
import { WasmEngine } from "../../../../adapters/sqlite/database/wasm-engine.ts";
import { nodeEngineHost } from "../../../../adapters/entry/node-platform.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import type { StorageDriver, StorageLease } from "../../../../src/contracts/storage-driver.ts";
import { createSeededRandomness } from "../../../../src/testing/seeded-randomness.ts";

const SOURCES = { now: () => Date.UTC(2026, 0, 1), randomBytes: createSeededRandomness(3).fill };

/** Sole ownership of "test.db" in `driver`. */
export async function aLease(driver: StorageDriver = memoryStorage()): Promise<StorageLease> {
  const acquisition = await driver.acquire("test.db");
  if (acquisition.role !== "owner") throw new Error("The database of the test has an owner already.");
  return acquisition.lease;
}

/** An empty SQLite database without this library's schema; gone when the test ends. */
export async function aBareDatabase(driver?: StorageDriver): Promise<WasmDatabase> {
  const lease = await aLease(driver);
  const database = new WasmDatabase(await WasmEngine.load(nodeEngineHost), new StorageFiles(lease), SOURCES);
  onTestFinished(async () => {
    database.abandon();
    await lease.release();
  });
  return database;
}

/** A database with this library's schema, as an owner opens it. */
export async function openTestDatabase(
  lease: StorageLease,
  options: Partial<OpenDatabaseOptions> = {},
): Promise<{ database: WasmDatabase; recovered: boolean }> {
  return openDatabase(nodeEngineHost, lease, { synchronous: "full", ...SOURCES, ...options });
}
