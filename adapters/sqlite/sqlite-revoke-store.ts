import type { DatabaseHealth } from "../../src/contracts/database-health.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import type { RevokeEntry, RevokeStore } from "../../src/contracts/revoke-store.ts";
import { checkName } from "../../src/core/names.ts";
import { checkDate } from "../../src/core/options.ts";
import { ClosedError, InvalidOptionError } from "../../src/errors.ts";
import { splitConnectionOptions } from "./connection-options.ts";
import { readHealth } from "./database-health.ts";
import { watchHub } from "./hub-watch.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { type HubHandle, openHub } from "./open-hub.ts";
import type { RevocationRow } from "./operations/revocations.ts";
import { parseDatabaseUrl } from "./parse-database-url.ts";
import type { PushStream } from "./push-stream.ts";
import { toRevocationRow, toRevokeEntry } from "./revocation-rows.ts";
import { resolveSqliteRevokeStoreOptions, type SqliteRevokeStoreOptions } from "./sqlite-revoke-store-options.ts";

/**
 * Revocations in a SQLite file. Every promise resolves once its effect is committed and, with `durability: "full"`,
 * safe from a power cut.
 */
export class SqliteRevokeStore implements RevokeStore {
  /** Where entries without a namespace go. */
  readonly namespace: string;
  readonly #handle: HubHandle;
  readonly #logger: Logger;
  readonly #watches = new Set<PushStream<RevokeEntry>>();
  #closing: Promise<void> | undefined;

  private constructor(handle: HubHandle, namespace: string, logger: Logger) {
    this.#handle = handle;
    this.namespace = namespace;
    this.#logger = logger;
  }

  /**
   * Opens, and creates where absent, the store in `file`: a path on Node, or `":memory:"`. Brings its schema up to
   * date. Throws as `SqliteBroker.open` does, leaving the file as it was.
   */
  static async open(file: string, options?: SqliteRevokeStoreOptions): Promise<SqliteRevokeStore> {
    const { connection, own } = splitConnectionOptions(options);
    const { namespace } = resolveSqliteRevokeStoreOptions(own);
    return new SqliteRevokeStore(await openHub(file, connection), namespace, connection.logger);
  }

  /** Like {@link SqliteRevokeStore.open}, for `sqlite:` and `file:` URLs and plain paths. */
  static async connect(url: string, options?: SqliteRevokeStoreOptions): Promise<SqliteRevokeStore> {
    return SqliteRevokeStore.open(parseDatabaseUrl(url), options);
  }

  async upsertAll(entries: readonly RevokeEntry[]): Promise<readonly RevokeEntry[]> {
    const hub = this.#hub();
    if (!Array.isArray(entries)) throw new InvalidOptionError("entries", entries, "an array of revocations");
    const rows = (entries as readonly RevokeEntry[]).map((entry) => toRevocationRow(entry, this.namespace));
    return rows.length === 0 ? [] : (await hub.call("upsertRevocations", rows)).map(toRevokeEntry);
  }

  async get(namespace: string, taskId: string): Promise<RevokeEntry | null> {
    const ref = { namespace: checkName("namespace", namespace), taskId: checkName("task id", taskId) };
    const row = await this.#hub().call("getRevocation", ref);
    return row === null ? null : toRevokeEntry(row);
  }

  async list(namespace: string): Promise<readonly RevokeEntry[]> {
    const rows = await this.#hub().call("listRevocations", { namespace: checkName("namespace", namespace) });
    return rows.map(toRevokeEntry);
  }

  watch(namespace: string): AsyncIterableIterator<RevokeEntry> {
    const hub = this.#hub();
    checkName("namespace", namespace);
    let newest: number | undefined;
    const stream = watchHub<RevocationRow, RevokeEntry>({
      hub,
      logger: this.#logger,
      begin: async (subscription) => {
        const before = newest;
        const stored = await hub.call("watchRevocations", { namespace, subscription });
        newest = Math.max(newest ?? stored, stored);
        if (before === undefined || stored <= before) return [];
        // The owner changed, and what was stored meanwhile was told to nobody.
        const rows = await hub.call("listRevocations", { namespace });
        return rows.filter(({ version }) => version > before);
      },
      read: (row) => {
        newest = Math.max(newest ?? 0, row.version);
        return toRevokeEntry(row);
      },
      isLast: () => false,
      onEnd: (ended) => this.#watches.delete(ended),
    });
    this.#watches.add(stream);
    return stream;
  }

  async pruneExpired(namespace: string, clock: Date): Promise<number> {
    const args = { namespace: checkName("namespace", namespace), clock: checkDate("clock", clock).getTime() };
    return this.#hub().call("pruneRevocations", args);
  }

  /** How the database is: where it is kept, who owns it, what it takes. */
  async health(): Promise<DatabaseHealth> {
    return readHealth(this.#hub());
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.end()));
    await this.#handle.release();
  }

  #hub(): HubClient {
    if (this.#closing !== undefined) throw new ClosedError("The revoke store");
    return this.#handle.hub;
  }
}
