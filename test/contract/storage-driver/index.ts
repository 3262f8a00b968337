import { describe } from "vitest";
import { describeEntries } from "./entries.contract.ts";
import { describeFiles } from "./files.contract.ts";
import { describeOwnership } from "./ownership.contract.ts";
import { describePeers } from "./peers.contract.ts";
import { describePersistence } from "./persistence.contract.ts";
import { describeReplace } from "./replace.contract.ts";
import { describeSparseFiles } from "./sparse-files.contract.ts";
import type { OpenStorage } from "./storage-under-test.ts";

/** What differs between drivers beyond their capabilities. */
export interface StorageDriverContractOptions {
  /** A few bytes far out in a file take a few bytes of room. */
  readonly sparse?: boolean;
  /** The database can be replaced as a whole. */
  readonly replace?: boolean;
  /** Members can reach the owner. @defaultValue `true` */
  readonly peers?: boolean;
}

/** The specification of `StorageDriver`: every driver passes all of it. */
export function describeStorageDriverContract(
  name: string,
  open: OpenStorage,
  options: StorageDriverContractOptions = {},
): void {
  describe(`storage driver contract: ${name}`, () => {
    describeFiles(open);
    describeEntries(open);
    describePersistence(open);
    describeOwnership(open);
    if (options.peers !== false) describePeers(open);
    describeReplace(open, options.replace ?? false);
    describeSparseFiles(open, options.sparse ?? false);
  });
}
