import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { COUNT_INFLIGHT, COUNT_PENDING, PURGE_READY, PURGE_WAITING } from "../sql/queue-jobs.ts";
import type { Operation } from "./operation.ts";
import { queueKey } from "./queue-key.ts";

/** One queue of one namespace. */
export interface QueueRef {
  readonly namespace: string;
  readonly queue: string;
}

const count = (sql: SqlSession, statement: string, { namespace, queue }: QueueRef, now: number): number =>
  sql.get<{ count: number }>(statement, { namespace, queue, queueKey: queueKey(namespace, queue), now })?.count ?? 0;

export const pendingCount: Operation<QueueRef, number> = {
  kind: "read",
  run: (scope, queue) => count(scope.sql, COUNT_PENDING, queue, scope.now),
};

export const inflightCount: Operation<QueueRef, number> = {
  kind: "read",
  run: (scope, queue) => count(scope.sql, COUNT_INFLIGHT, queue, scope.now),
};

/** Deletes what no consumer holds; returns how many. */
export const purge: Operation<QueueRef, number> = {
  kind: "steps",
  run: (scope, { namespace, queue }) =>
    scope.sql.run(PURGE_READY, { namespace, queue, queueKey: queueKey(namespace, queue) }) +
    scope.sql.run(PURGE_WAITING, { namespace, queue, now: scope.now }),
};
