import type { Clock } from "../../../src/contracts/clock.ts";
import type { Randomness } from "../../../src/contracts/identity.ts";
import type { EngineHost } from "../../../src/contracts/platform.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { DatabaseBusyError, OutcomeUnknownError, StorageFullError } from "../../../src/errors.ts";
import { prepareCopy } from "../database/prepare-copy.ts";
import { writeCopy } from "../database/write-copy.ts";

/** What is to be imported, and where. */
export interface ImportRequest {
  readonly database: string;
  readonly bytes: Uint8Array;
  /** Whether a database that is there is to be lost. */
  readonly replace: boolean;
}

/** What an import works with. */
export interface ImportParts {
  readonly host: EngineHost;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Checks the bytes of a database, then stores them as one of `driver`, which nobody may have open. */
export async function importCopy(
  driver: StorageDriver,
  { database, bytes, replace }: ImportRequest,
  { host, clock, randomness }: ImportParts,
): Promise<void> {
  const copy = await prepareCopy(host, bytes, `the copy for ${database}`, {
    now: () => Math.floor(clock.now()),
    randomBytes: (into) => randomness.fill(into),
  });
  const acquisition = await driver.acquire(database);
  if (acquisition.role === "member") throw new DatabaseBusyError(database, acquisition.peer.description);
  const { lease } = acquisition;
  try {
    writeCopy(lease, copy, replace);
    await lease.durable()?.catch((error: unknown) => {
      throw error instanceof StorageFullError ? error : new OutcomeUnknownError("the import of a copy", error);
    });
  } finally {
    await lease.release();
  }
}
