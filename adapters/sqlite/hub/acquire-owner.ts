import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { nameOf } from "./owner-facts.ts";
import type { OwnerParts } from "./owner-parts.ts";
import { Owner } from "./owner.ts";
import { serveMembers } from "./serve-members.ts";

/**
 * Becomes the owner of a database and serves its members, those in other contexts too; `undefined` when somebody else
 * is the owner.
 */
export async function acquireOwner(
  driver: StorageDriver,
  database: string,
  parts: Omit<OwnerParts, "lease" | "driver">,
): Promise<Owner | undefined> {
  const acquisition = await driver.acquire(database, { durability: parts.durability });
  if (acquisition.role === "member") return undefined;
  const { lease } = acquisition;
  const owner = await Owner.open({ ...parts, lease, driver: lease.driver ?? driver });
  const { durability, logger, host } = parts;
  serveMembers(lease, { owner, durability, logger, name: nameOf(host) });
  return owner;
}
