import type { WasmDatabase } from "../database/wasm-database.ts";
import type { OwnerFacts } from "../operations/operation.ts";
import type { OwnerParts } from "./owner-parts.ts";

/** What an owner that was made of `parts` knows of its database and of itself. */
export function ownerFacts(
  { lease, driver, durability, place, host }: OwnerParts,
  self: Readonly<{ id: string; since: number }>,
  members: number,
  database: WasmDatabase,
): OwnerFacts {
  const { files } = database;
  return {
    database: lease.path,
    storage: { name: driver.name, persistent: driver.capabilities.persistent },
    durability,
    place,
    owner: { ...self, description: nameOf(host), members },
    bytes: files.open("db").size(),
    // Opening a file that is not there would make it.
    logBytes: lease.exists("wal") ? files.open("wal").size() : 0,
    memoryBytes: database.memoryBytes,
  };
}

/** What other contexts call the owner in this one. */
export function nameOf(host: OwnerParts["host"]): string {
  return host.contextName ?? "another process or thread";
}
