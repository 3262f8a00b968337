import { SqliteBroker, SqliteWorkflowStore } from "../../../adapters/entry/node.ts";
import type { Delivery } from "../../../src/contracts/broker.ts";
import type { ContinuationReason } from "../../../src/contracts/workflow-store.ts";
import { WORKFLOW_META_KEYS } from "../../../src/core/workflow-continuation.ts";
import type { WorkflowStoreFixture } from "../../contract/workflow-store/index.ts";
import { QUEUES, type SeenContinuation } from "../../contract/workflow-store/workflow-store-bench.ts";
import { onClock, POLL_INTERVAL, type SqlitePlace } from "./open-sqlite.ts";

const FILE = "workflows.sqlite";
/** Longer than any test: what the reader of messages holds is nobody else's. */
const FOR_EVER = 1_000_000_000_000;

/** Workflow stores on one database in `place`, all on one fake clock; their continuations go to the outbox. */
export function openSqliteWorkflowStores(place: () => SqlitePlace): () => WorkflowStoreFixture {
  return () => openStores(place(), (store) => store);
}

/** The same, with a broker on the database that gets the continuations as messages. */
export function openDispatchingWorkflowStores(place: () => SqlitePlace): () => WorkflowStoreFixture {
  return () => {
    const parts = place();
    const reader = new MessageReader(parts);
    const { close, ...fixture } = openStores(parts, async (store) => {
      if (!store.dispatchTo(await reader.open())) throw new Error("Store and broker share no database.");
      return store;
    });
    return {
      ...fixture,
      messages: () => reader.messages(),
      async close() {
        await reader.close();
        await close();
      },
    };
  };
}

/** Takes every message of the kit's queues as it falls due, and holds it. */
class MessageReader {
  readonly #place: SqlitePlace;
  #broker: Promise<SqliteBroker> | undefined;
  readonly #seen: Delivery[] = [];
  #reading: Promise<void> | undefined;

  constructor(place: SqlitePlace) {
    this.#place = place;
  }

  open(): Promise<SqliteBroker> {
    return (this.#broker ??= this.#open());
  }

  async #open(): Promise<SqliteBroker> {
    const { clock, storage, engine } = this.#place;
    const options = { pollInterval: POLL_INTERVAL, sweeperInterval: 0, defaultVisibilityTimeout: FOR_EVER };
    const broker = await SqliteBroker.open(FILE, { ...onClock(clock, storage, engine), ...options });
    const queues = [QUEUES.orchestrationQueue, QUEUES.continuationQueue];
    this.#reading = this.#read(broker.consume({ queues }, { prefetch: 1_000 }));
    return broker;
  }

  async #read(deliveries: AsyncIterable<Delivery>): Promise<void> {
    for await (const delivery of deliveries) this.#seen.push(delivery);
  }

  async messages(): Promise<readonly SeenContinuation[]> {
    const broker = await this.open();
    for (let round = 0; round < 5; round += 1) {
      await this.#place.clock.advance(0);
      await broker.pendingCount(QUEUES.orchestrationQueue);
    }
    return this.#seen.map(({ envelope: { args, meta, queue } }) => ({
      runId: String(args["runId"]),
      number: Number(args["continuation"]),
      reason: meta[WORKFLOW_META_KEYS.continuationReason] as ContinuationReason,
      workflow: String(meta[WORKFLOW_META_KEYS.name]),
      queue,
    }));
  }

  async close(): Promise<void> {
    await (await this.#broker)?.close();
    await this.#reading;
  }
}

function openStores(
  { clock, storage, engine, owner, remove }: SqlitePlace,
  prepare: (store: SqliteWorkflowStore) => SqliteWorkflowStore | Promise<SqliteWorkflowStore>,
): WorkflowStoreFixture {
  const opened: SqliteWorkflowStore[] = [];
  let owning: Promise<SqliteWorkflowStore> | undefined;
  return {
    clock,
    // A memory driver keeps its databases as long as it lives itself.
    persistent: true,
    async open(options) {
      if (owner !== undefined) {
        const passive = { ...onClock(clock, owner, engine), cleanupInterval: 0 };
        await (owning ??= SqliteWorkflowStore.open(FILE, passive));
      }
      const store = await SqliteWorkflowStore.open(FILE, { ...onClock(clock, storage, engine), ...options });
      opened.push(store);
      return prepare(store);
    },
    async close() {
      for (const store of opened) await store.close();
      await (await owning)?.close();
      remove();
    },
  };
}
