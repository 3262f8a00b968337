import type { StorageFileName } from "../../src/contracts/storage-driver.ts";

/** Names of its own for the logs keep ordinary SQLite programs from finding, and destroying, them. */
export function nodeFilePath(database: string, name: StorageFileName): string {
  return name === "db" ? database : `${database}-stem${name}`;
}

/** Where a new content of the database is written before it takes the place of the old one. */
export function newImagePath(database: string): string {
  return `${database}-stemnew`;
}
