import { UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { WasmDatabase } from "../database/wasm-database.ts";
import type { SqlDatabase } from "../../../src/contracts/sql-engine.ts";
import type { DatabaseFile, OwnerFacts } from "../operations/operation.ts";
import type { OwnerParts } from "./owner-parts.ts";

/** What an owner that was made of `parts` knows of its database and of itself. */
export function ownerFacts(
  { lease, driver, durability, place, host, sqlEngine }: OwnerParts,
  self: Readonly<{ id: string; since: number }>,
  members: number,
  database: SqlDatabase,
): OwnerFacts {
  return {
    database: lease.path,
    storage: { name: driver.name, persistent: driver.capabilities.persistent },
    durability,
    engine: { name: sqlEngine?.name ?? "sqlite", place },
    owner: { ...self, description: nameOf(host), members },
    ...database.size,
  };
}

/** What other contexts call the owner in this one. */
export function nameOf(host: OwnerParts["host"]): string {
  return host.contextName ?? "another process or thread";
}

/** What operations may do with the database as a whole. Only our own engine can keep a query from doing harm. */
export function databaseFile(database: SqlDatabase): DatabaseFile {
  if (database instanceof WasmDatabase) return database;
  return {
    copy: (maxBytes) => database.copy(maxBytes),
    query: () => {
      throw new UnsupportedEnvironmentError("an engine that can limit a query, which sql.js cannot; export a copy");
    },
  };
}
