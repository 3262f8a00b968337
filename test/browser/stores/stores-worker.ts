import {
  SqliteBroker,
  SqliteResultBackend,
  SqliteRevokeStore,
  SqliteWorkflowStore,
} from "../../../adapters/entry/browser.ts";
import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { describeBrokerContract } from "../../contract/broker/index.ts";
import { describeResultBackendContract } from "../../contract/result-backend/index.ts";
import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { describeWorkflowStoreContract } from "../../contract/workflow-store/index.ts";
import { sqlJsInBrowser } from "../support/sqljs.ts";
import { serveSuite } from "../support/worker-suite.ts";

// Everything the stores promise, in a browser, over the driver and in the engine that the worker's address names.
const DRIVERS: Readonly<Record<string, () => StorageDriver>> = { opfs: opfsStorage, indexeddb: indexedDbStorage };
const { searchParams } = new URL(location.href);
const name = searchParams.get("driver") ?? "";
const engine = searchParams.has("sqljs") ? { sqlEngine: sqlJsInBrowser() } : {};
const makeDriver = DRIVERS[name];
if (makeDriver === undefined) throw new Error(`There is no driver "${name}".`);

interface Stores<Store> {
  readonly clock: FakeClock;
  readonly persistent: true;
  open(options?: object): Promise<Store>;
  close(): Promise<void>;
}

/** Stores of one kind on one database that no other test has. */
function fixture<Store extends { close(): Promise<void> }>(
  open: (file: string, options: object) => Promise<Store>,
): () => Stores<Store> {
  return () => {
    const clock = new FakeClock();
    const file = `${crypto.randomUUID()}/jobs.sqlite`;
    const connection = { storage: makeDriver?.(), clock, engine: "inline", logger: silentLogger, ...engine } as const;
    const opened: Store[] = [];
    return {
      clock,
      persistent: true,
      async open(options) {
        const store = await open(file, { ...connection, ...options });
        opened.push(store);
        return store;
      },
      async close() {
        for (const store of opened) await store.close();
      },
    };
  };
}

const LONG_POLL = { pollInterval: 3_600_000 };
describeBrokerContract(
  `SqliteBroker on ${name}`,
  fixture((file, options) => SqliteBroker.open(file, { ...LONG_POLL, ...options })),
);
describeResultBackendContract(
  `SqliteResultBackend on ${name}`,
  fixture((file, options) => SqliteResultBackend.open(file, options)),
);
describeRevokeStoreContract(
  `SqliteRevokeStore on ${name}`,
  fixture((file, options) => SqliteRevokeStore.open(file, options)),
);
describeWorkflowStoreContract(
  `SqliteWorkflowStore on ${name}`,
  fixture((file, options) => SqliteWorkflowStore.open(file, options)),
);

serveSuite();
