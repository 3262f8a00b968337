import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { memoryDriver } from "./memory-driver.ts";

/**
 * Keeps databases in this driver instance, by name; they are gone with it. A database survives being released and
 * acquired again, and has one owner at a time. Two instances share nothing.
 */
export function memoryStorage(): StorageDriver {
  return memoryDriver(new Map(), false);
}
