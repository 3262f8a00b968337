import { buildEnvelope, copyEnvelope, decodeEnvelope, type Envelope } from "../../../src/core/envelope.ts";
import {
  DELETE_DEAD_LETTER,
  GET_DEAD_LETTER,
  LIST_DEAD_LETTERS,
  PURGE_DEAD_LETTERS,
  SELECT_REPLAYABLE,
  SWEEP_DEAD_LETTERS,
} from "../sql/dead-letters.ts";
import { SWEEP_CHANNELS } from "../sql/hub.ts";
import type { QueueRef } from "./inspect.ts";
import type { Operation } from "./operation.ts";
import { insertMessage } from "./publish.ts";
import { toStoredMessage } from "./stored-message.ts";

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

export interface PurgeDeadLettersArgs extends QueueRef {
  /** Epoch milliseconds, inclusive. */
  readonly since: number;
  /** Negative for no limit. */
  readonly limit: number;
}

export interface ReplayArgs extends PurgeDeadLettersArgs {
  /** From the owner's now; null for at once. */
  readonly delay: number | null;
  readonly resetAttempts: boolean;
  readonly dryRun: boolean;
}

const SWEEP_LIMIT = 500;
/** A channel that is used again after this long begins again at 1. */
const CHANNEL_RETENTION_MS = 86_400_000;

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

/**
 * Moves dead letters back to their queue, oldest first, and returns them as they were. One whose id is queued again,
 * or whose envelope cannot be read, stays where it is.
 */
export const replay: Operation<ReplayArgs, DeadLetterRow[]> = {
  kind: "steps",
  run(scope, { namespace, queue, since, limit, delay, resetAttempts, dryRun }) {
    const found = scope.sql.all<DeadLetterRow>(SELECT_REPLAYABLE, { namespace, queue, since, limit });
    const readable = found.flatMap((row) => {
      const envelope = readEnvelope(row);
      return envelope === undefined ? [] : [{ row, envelope }];
    });
    if (dryRun) return readable.map(({ row }) => row);
    const notBefore = delay === null ? null : new Date(scope.now + delay);
    for (const { row, envelope } of readable) {
      const next = copyEnvelope(envelope, { notBefore, attempt: resetAttempts ? 0 : envelope.attempt });
      scope.sql.run(DELETE_DEAD_LETTER, { seq: row.seq });
      insertMessage(scope, namespace, toStoredMessage(next, Number.POSITIVE_INFINITY));
    }
    return readable.map(({ row }) => row);
  },
};

export const purgeDeadLetters: Operation<PurgeDeadLettersArgs, number> = {
  kind: "statement",
  run: (scope, { namespace, queue, since, limit }) =>
    scope.sql.run(PURGE_DEAD_LETTERS, { namespace, queue, since, limit }),
};

/**
 * Deletes a bounded number of dead letters that are older than `retention` milliseconds, none when that is 0, and
 * forgets broadcast channels that were not used for long; returns how many dead letters.
 */
export const sweepDeadLetters: Operation<{ readonly namespace: string; readonly retention: number }, number> = {
  kind: "steps",
  isRepeatable: true,
  run(scope, { namespace, retention }) {
    scope.sql.run(SWEEP_CHANNELS, { before: scope.now - CHANNEL_RETENTION_MS, limit: SWEEP_LIMIT });
    if (retention === 0) return 0;
    return scope.sql.run(SWEEP_DEAD_LETTERS, {
      namespace,
      before: Math.floor(scope.now - retention),
      limit: SWEEP_LIMIT,
    });
  },
};

/** The envelope of a dead letter; `undefined` when what is stored is none. */
export function readEnvelope(row: Pick<DeadLetterRow, "envelope">): Envelope | undefined {
  try {
    return decodeEnvelope(row.envelope);
  } catch {
    // It may have been buried for this very reason; its text is still there to be looked at.
    return undefined;
  }
}

/** Stands in for an envelope that cannot be read. */
export function placeholderEnvelope({ id, queue }: Readonly<{ id: string; queue: string }>, at: number): Envelope {
  return buildEnvelope({ name: "undecodable", queue }, id, at);
}
