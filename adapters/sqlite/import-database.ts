import { checkBoolean, mergeOptions } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { type ConnectionOptions, splitConnectionOptions } from "./connection-options.ts";
import { EngineThread } from "./hub/engine-thread.ts";
import { importCopy } from "./hub/import-copy.ts";
import { engineThreadFor, locateDatabase } from "./open-hub.ts";
import { currentPlatform } from "./platform.ts";

/** How {@link importDatabase} reaches the database, and whether it may take the place of one. */
export interface ImportDatabaseOptions extends ConnectionOptions {
  /**
   * Whether a database of this library that is there already is lost. It is lost from the first moment on: when the
   * process ends in the middle, neither is there, and `open` refuses the file until the copy has been imported again.
   *
   * @defaultValue `false`
   */
  readonly replace?: boolean;
}

const DEFAULTS = { replace: false };

/**
 * Makes a database of the bytes of another one, such as `SqliteDatabase.export` gives or a file that was closed cleanly.
 * What consumers held when the copy was taken is ready again. Resolves once all of it is stored; when the process ends
 * before, `open` refuses what is there, or there is nothing.
 *
 * The bytes are checked in full before any effect: damage, another application's database and a newer schema throw as
 * opening such a file does. Throws `DatabaseBusyError` while somebody has the database open, `DatabaseExistsError` when
 * it is there and `replace` is not set, and `NotAQueueDatabaseError`, always, for a file that is none of this library.
 */
export async function importDatabase(file: string, bytes: Uint8Array, options?: ImportDatabaseOptions): Promise<void> {
  const { connection, own } = splitConnectionOptions(options);
  const { replace } = mergeOptions(DEFAULTS, own);
  checkBoolean("replace", replace);
  if (!(bytes instanceof Uint8Array)) throw new InvalidOptionError("bytes", bytes, "a Uint8Array");
  if (file === ":memory:" && connection.storage === undefined) {
    throw new InvalidOptionError("file", file, "a database that can be opened afterwards");
  }
  if (connection.sqlEngine !== undefined) {
    throw new InvalidOptionError("sqlEngine", connection.sqlEngine, "left out: a copy is checked by the package's own");
  }
  // The caller may go on with its own.
  const copy = new Uint8Array(bytes);
  const { driver, database, closing } = locateDatabase(file, connection);
  await closing;
  const { clock, randomness, durability, logger } = connection;
  const platform = currentPlatform();
  const spawn = engineThreadFor(platform, driver, connection);
  if (spawn === undefined) {
    await importCopy(driver, { database, bytes: copy, replace }, { host: platform, clock, randomness });
    return;
  }
  // Checking a large copy takes long, and nobody else depends on this thread: it is not watched.
  const engineTimeout = Number.POSITIVE_INFINITY;
  const opening = { database, durability, session: "", context: "", repeatsCalls: false };
  const thread = new EngineThread(await spawn(), { ...opening, clock, logger, engineTimeout });
  try {
    await thread.importCopy(copy, replace);
  } finally {
    await thread.end();
  }
}
