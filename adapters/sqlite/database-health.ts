import type { DatabaseHealth } from "../../src/contracts/database-health.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { currentPlatform } from "./platform.ts";

/** What the owner knows of the database, and what only this context can know. */
export async function readHealth(hub: HubClient): Promise<DatabaseHealth> {
  const [row, origin] = await Promise.all([hub.call("health", {}), currentPlatform().originStorage?.()]);
  const owner = { ...row.owner, since: new Date(row.owner.since) };
  return { ...row, owner, ...(origin === undefined ? {} : { origin }) };
}
