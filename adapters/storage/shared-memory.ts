import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { memoryDriver } from "./memory-driver.ts";
import type { MemoryDatabase } from "./memory-lease.ts";

/** Databases in memory that several drivers reach, as several processes reach the files of one machine. */
export interface SharedMemoryStorage {
  /** Another driver on the same databases. */
  driver(): StorageDriver;
}

/**
 * Makes an empty memory that several drivers share, for tests with several members. Whoever has one of its drivers
 * stands for a process, so the drivers say that ownership is exclusive across contexts.
 */
export function sharedMemoryStorage(): SharedMemoryStorage {
  const databases = new Map<string, MemoryDatabase>();
  return { driver: () => memoryDriver(databases, true) };
}
