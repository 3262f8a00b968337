import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import {
  DELETE_DEAD_LETTER,
  GET_DEAD_LETTER,
  IS_REPLAYABLE,
  LIST_DEAD_LETTERS,
  PURGE_DEAD_LETTERS,
  SELECT_REPLAYABLE,
  SWEEP_DEAD_LETTERS,
} from "../sql/dead-letters.ts";
import { COUNT_INFLIGHT, COUNT_PENDING, PURGE_READY, PURGE_WAITING } from "../sql/queue-jobs.ts";
import type { Operation } from "./operation.ts";
import { insertMessage, type StoredMessage } from "./publish.ts";
import { queueKey } from "./queue-key.ts";

/** One queue of one namespace. */
export interface QueueRef {
  readonly namespace: string;
  readonly queue: string;
}

/** A dead letter as it is stored. */
export interface DeadLetterRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  readonly reason: string | null;
  readonly meta: string;
  readonly deadAt: number;
}

export interface ListDeadLettersArgs extends QueueRef {
  readonly limit: number;
  readonly offset: number;
}

export interface FindReplayableArgs extends QueueRef {
  readonly since: number;
  readonly limit: number;
}

export interface ReplayArgs extends QueueRef {
  /** Dead letters by sequence, and the message each one becomes. */
  readonly messages: readonly Readonly<{ seq: number; message: StoredMessage }>[];
}

const SWEEP_LIMIT = 500;

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

export const listDeadLetters: Operation<ListDeadLettersArgs, DeadLetterRow[]> = {
  kind: "read",
  run: (scope, { namespace, queue, limit, offset }) =>
    scope.sql.all<DeadLetterRow>(LIST_DEAD_LETTERS, { namespace, queue, limit, offset }),
};

export const getDeadLetter: Operation<QueueRef & { readonly id: string }, DeadLetterRow | null> = {
  kind: "read",
  run: (scope, { namespace, queue, id }) =>
    scope.sql.get<DeadLetterRow>(GET_DEAD_LETTER, { namespace, queue, id }) ?? null,
};

/** Dead letters that a replay would move, oldest first. */
export const findReplayable: Operation<FindReplayableArgs, DeadLetterRow[]> = {
  kind: "read",
  run: (scope, { namespace, queue, since, limit }) =>
    scope.sql.all<DeadLetterRow>(SELECT_REPLAYABLE, { namespace, queue, since, limit }),
};

/**
 * Moves dead letters back to their queue and returns the sequences moved. One that is gone, or whose id is queued
 * again, since it was found is left out.
 */
export const replay: Operation<ReplayArgs, number[]> = {
  kind: "steps",
  run(scope, { namespace, queue, messages }) {
    const moved = messages.filter(({ seq }) => scope.sql.get(IS_REPLAYABLE, { namespace, queue, seq }) !== undefined);
    for (const { seq, message } of moved) {
      scope.sql.run(DELETE_DEAD_LETTER, { seq });
      insertMessage(scope, namespace, message);
    }
    return moved.map(({ seq }) => seq);
  },
};

export const purgeDeadLetters: Operation<FindReplayableArgs, number> = {
  kind: "statement",
  run: (scope, { namespace, queue, since, limit }) =>
    scope.sql.run(PURGE_DEAD_LETTERS, { namespace, queue, since, limit }),
};

/** Deletes a bounded number of dead letters that died at or before `before`; returns how many. */
export const sweepDeadLetters: Operation<{ readonly namespace: string; readonly before: number }, number> = {
  kind: "statement",
  run: (scope, { namespace, before }) => scope.sql.run(SWEEP_DEAD_LETTERS, { namespace, before, limit: SWEEP_LIMIT }),
};
