import type { StorageFileName } from "../../src/contracts/storage-driver.ts";

/** Names of its own for the logs keep ordinary SQLite programs from finding, and destroying, them. */
export function nodeFilePath(database: string, name: StorageFileName): string {
  return name === "db" ? database : `${database}-stem${name}`;
}
