import { checkText } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { checkKnown } from "../../src/runtime/check-ports.ts";
import { WorkflowApp, type WorkflowAppOptions, type WorkflowAppStores } from "../../src/workflow/workflow-app.ts";
import { InMemoryBroker, InMemoryResultBackend, InMemoryRevokeStore, InMemoryWorkflowStore } from "../memory/index.ts";
import type { ConnectionOptions } from "../sqlite/connection-options.ts";
import { parseDatabaseUrl } from "../sqlite/parse-database-url.ts";
import { SqliteBroker } from "../sqlite/sqlite-broker.ts";
import { SqliteResultBackend } from "../sqlite/sqlite-result-backend.ts";
import { SqliteRevokeStore } from "../sqlite/sqlite-revoke-store.ts";
import { SqliteWorkflowStore } from "../sqlite/sqlite-workflow-store.ts";

/** Files of stores that are not to be in the app's own; names or URLs, as the app's own is. */
export interface StoreOverrides {
  readonly broker?: string;
  readonly backend?: string;
  readonly revokeStore?: string;
  readonly store?: string;
}

/** Options of an app that opens its stores itself. */
export interface StemWorkflowAppOptions extends WorkflowAppOptions {
  /** How the databases are opened. */
  readonly connection?: Omit<ConnectionOptions, "clock" | "randomness" | "logger">;
  /**
   * Stores in files of their own. Then what is one transaction in one file is several, each repeated until it is done.
   */
  readonly overrides?: StoreOverrides;
}

const OVERRIDE_NAMES: ReadonlySet<string> = new Set<keyof StoreOverrides>([
  "broker",
  "backend",
  "revokeStore",
  "store",
]);

/** A {@link WorkflowApp} that can open its own stores: by default all in one file, so that a crash parts nothing. */
export class StemWorkflowApp extends WorkflowApp {
  /** On stores that are open already; `close` leaves them open. */
  static create(options: WorkflowAppOptions & WorkflowAppStores): StemWorkflowApp {
    const { broker, backend, store, revokeStore, ...rest } = options;
    const stores = { broker, backend, store, ...(revokeStore === undefined ? {} : { revokeStore }) };
    return new StemWorkflowApp(stores, rest);
  }

  /** On stores in memory, which end with the app. */
  static async inMemory(options: WorkflowAppOptions): Promise<StemWorkflowApp> {
    const { clock, logger } = options;
    const ports = { ...(clock === undefined ? {} : { clock }), ...(logger === undefined ? {} : { logger }) };
    const broker = new InMemoryBroker(ports);
    const backend = new InMemoryResultBackend(ports);
    const store = new InMemoryWorkflowStore(ports);
    const revokeStore = new InMemoryRevokeStore();
    return assemble({ broker, backend, store, revokeStore }, options);
  }

  /** Opens, and creates where absent, all stores in `file`. Throws as `SqliteBroker.open` does. */
  static open(file: string, options: StemWorkflowAppOptions): Promise<StemWorkflowApp> {
    return openAll(file, options, (name) => name);
  }

  /** Like {@link StemWorkflowApp.open}, for `sqlite:` and `file:` URLs and plain paths. */
  static fromUrl(url: string, options: StemWorkflowAppOptions): Promise<StemWorkflowApp> {
    return openAll(url, options, parseDatabaseUrl);
  }
}

async function openAll(
  name: string,
  options: StemWorkflowAppOptions,
  toFile: (name: string) => string,
): Promise<StemWorkflowApp> {
  if (options === null || typeof options !== "object") throw new InvalidOptionError("options", options, "an object");
  const { connection = {}, overrides = {}, ...rest } = options;
  checkKnown("overrides", overrides, OVERRIDE_NAMES);
  const fileOf = (store: keyof StoreOverrides): string => {
    const own = overrides[store];
    return toFile(own === undefined ? name : checkText(`overrides.${store}`, own));
  };
  const { clock, randomness, logger } = rest;
  const ports = {
    ...connection,
    ...(clock === undefined ? {} : { clock }),
    ...(randomness === undefined ? {} : { randomness }),
    ...(logger === undefined ? {} : { logger }),
  };
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(store: T): T => {
    opened.push(store);
    return store;
  };
  try {
    const broker = keep(await SqliteBroker.open(fileOf("broker"), ports));
    const backend = keep(await SqliteResultBackend.open(fileOf("backend"), ports));
    const revokeStore = keep(await SqliteRevokeStore.open(fileOf("revokeStore"), ports));
    const store = keep(await SqliteWorkflowStore.open(fileOf("store"), ports));
    return assemble({ broker, backend, store, revokeStore }, rest);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

function assemble(stores: Required<WorkflowAppStores>, options: WorkflowAppOptions): StemWorkflowApp {
  const { broker, backend, store, revokeStore } = stores;
  return new StemWorkflowApp(stores, options, () => closeAll([broker, backend, revokeStore, store]));
}

/** The last opened first; all of them, whatever one says. Throws the first fault. */
async function closeAll(stores: readonly { close(): Promise<void> }[]): Promise<void> {
  const faults: unknown[] = [];
  for (const store of stores.toReversed()) await store.close().catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw faults[0];
}
