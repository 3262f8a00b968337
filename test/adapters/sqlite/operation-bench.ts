import { openDatabase } from "../../../adapters/sqlite/database/open-database.ts";
import { inTransaction } from "../../../adapters/sqlite/database/transaction.ts";
import { Copies } from "../../../adapters/sqlite/hub/copies.ts";
import type { WasmDatabase } from "../../../adapters/sqlite/database/wasm-database.ts";
import type { Operation, OperationScope, OwnerEvents } from "../../../adapters/sqlite/operations/operation.ts";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";

/** One signal to watchers. */
export interface Signal {
  readonly topic: string;
  readonly event: unknown;
}

/** Operations on a database in memory, each in its own transaction and without an owner around them. */
export interface OperationBench {
  readonly database: WasmDatabase;
  /** What was signalled, once the operation was committed. */
  readonly signals: readonly Signal[];
  /** Topics that are watched, by subscription. */
  readonly watches: ReadonlyMap<number, string>;
  /** The time that operations see; a test may set it. */
  now: number;
  run<Args, Result>(operation: Operation<Args, Result>, args: Args): Result;
}

const ignore = (): void => undefined;

/** Opens an empty database with the schema of this release. */
export async function openOperationBench(): Promise<OperationBench> {
  const acquired = await memoryStorage().acquire("bench");
  if (acquired.role !== "owner") throw new Error("A new memory storage has an owner already.");
  const { database } = await openDatabase(nodePlatform, acquired.lease, {
    synchronous: "relaxed",
    now: () => 0,
    randomBytes: (into) => void into.fill(7),
  });
  const signals: Signal[] = [];
  const watches = new Map<number, string>();
  let tokens = 0;
  const events: OwnerEvents = {
    queueReady: ignore,
    dueAt: ignore,
    settled: ignore,
    extended: ignore,
    acked: () => undefined,
    wasAcked: () => false,
    addConsumer: ignore,
    removeConsumer: ignore,
    inheritedBy: () => [],
    adopt: () => undefined,
    broadcast: () => ignore,
    watch: ({ subscription }, topic) => void watches.set(subscription, topic),
    unwatch: ({ subscription }) => void watches.delete(subscription),
    isWatched: (topic) => [...watches.values()].includes(topic),
    expectWatch: ignore,
    signal: (topic, event) => void signals.push({ topic, event }),
  };
  const copies = new Copies();
  const bench: OperationBench = {
    database,
    signals,
    watches,
    now: 1_000,
    run<Args, Result>(operation: Operation<Args, Result>, args: Args): Result {
      const effects: (() => void)[] = [];
      const scope: OperationScope = {
        sql: database,
        file: database,
        copies,
        now: bench.now,
        member: { id: 1, session: "", remote: false, context: "" },
        nextToken: () => ++tokens,
        ownerFacts: () => {
          throw new Error("The bench has no owner.");
        },
        afterCommit: (effect) => void effects.push(effect),
        events,
      };
      const result = inTransaction(database, () => operation.run(scope, args));
      for (const effect of effects) effect();
      return result;
    },
  };
  return bench;
}
