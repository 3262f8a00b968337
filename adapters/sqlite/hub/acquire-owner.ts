import { DatabaseBusyError } from "../../../src/errors.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { Owner, type OwnerParts } from "./owner.ts";

/** Becomes the owner of a database, or throws `DatabaseBusyError` naming who is. */
export async function acquireOwner(
  driver: StorageDriver,
  database: string,
  parts: Omit<OwnerParts, "lease">,
): Promise<Owner> {
  const acquisition = await driver.acquire(database);
  if (acquisition.role === "member") throw new DatabaseBusyError(database, acquisition.peer.description);
  return Owner.open({ ...parts, lease: acquisition.lease });
}
