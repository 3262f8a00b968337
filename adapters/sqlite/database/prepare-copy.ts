import type { EngineHost } from "../../../src/contracts/platform.ts";
import { NotAQueueDatabaseError } from "../../../src/errors.ts";
import { DELETE_ALL_REPLIES, DELETE_SESSIONS } from "../sql/hub.ts";
import { RELEASE_ORPHANS } from "../sql/queue-jobs.ts";
import { BytesLease } from "./bytes-lease.ts";
import { headerKind } from "./header-guard.ts";
import { openDatabase } from "./open-database.ts";
import { inTransaction } from "./transaction.ts";
import type { VfsSources } from "./vfs.ts";

/**
 * Opens the bytes of a database in memory, checks all of it, brings its schema up to date and frees what its consumers
 * held, since they do not know the copy. Returns it as it may be stored; throws what opening such a file throws. `name`
 * is what errors call it.
 */
export async function prepareCopy(
  host: Pick<EngineHost, "loadEngine" | "text">,
  bytes: Uint8Array,
  name: string,
  sources: VfsSources,
): Promise<Uint8Array<ArrayBuffer>> {
  const kind = headerKind(bytes);
  if (kind === "empty") throw new NotAQueueDatabaseError(name, "it is empty");
  if (kind === "guarded") {
    throw new NotAQueueDatabaseError(name, "it was taken from a database that was open, without its log");
  }
  const lease = new BytesLease(name, bytes);
  const { database } = await openDatabase(host, lease, { ...sources, synchronous: "relaxed", checkAll: true });
  try {
    inTransaction(database, () => {
      database.run(DELETE_SESSIONS);
      database.run(DELETE_ALL_REPLIES);
      database.run(RELEASE_ORPHANS, { now: sources.now() });
    });
    database.close();
  } finally {
    database.abandon();
  }
  return lease.database;
}
