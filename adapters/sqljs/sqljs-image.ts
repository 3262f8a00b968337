import type { StorageLease } from "../../src/contracts/storage-driver.ts";
import { StorageFiles } from "../sqlite/database/storage-files.ts";

const FILE_FORMAT_OFFSETS = [18, 19];
const JOURNAL_FORMAT = 1;

/**
 * The stored database as any SQLite reads it: without the mask, and not as one that has a log. Our own engine writes
 * with a log; where there is none left, the file alone is the database.
 */
export function readImage(lease: StorageLease): Uint8Array<ArrayBuffer> {
  const files = new StorageFiles(lease);
  try {
    const image = new Uint8Array(files.open("db").size());
    files.read("db", image, 0);
    if (image.length > 0) for (const offset of FILE_FORMAT_OFFSETS) image[offset] = JOURNAL_FORMAT;
    return image;
  } finally {
    files.abandon();
  }
}
