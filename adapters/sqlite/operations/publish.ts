import { decodeEnvelope, isSameMessage } from "../../../src/core/envelope.ts";
import { DuplicateIdConflictError } from "../../../src/errors.ts";
import type { PublishReceipt } from "../../../src/contracts/broker.ts";
import { isConstraintError } from "../database/engine-errors.ts";
import { NEXT_SEQUENCE } from "../sql/hub.ts";
import { DELETE_JOB, FIND_JOB, INSERT_JOB, INSERT_READY_JOB } from "../sql/queue-jobs.ts";
import type { Operation, OperationScope } from "./operation.ts";
import { queueKey } from "./queue-key.ts";
import type { StoredMessage } from "./stored-message.ts";

/** Ready, delayed, leased: the `state` column. */
export const JOB_STATE = { READY: 0, DELAYED: 1, LEASED: 2 } as const;

export interface PublishArgs {
  readonly namespace: string;
  readonly message: StoredMessage;
}

export interface PublishAllArgs {
  readonly namespace: string;
  readonly messages: readonly StoredMessage[];
  readonly replacePending: boolean;
}

type PublishOutcome = PublishReceipt["outcome"];

interface FoundJob {
  readonly seq: number;
  readonly queue: string;
  readonly state: number;
  readonly dueAt: number;
  readonly envelope: string;
}

/** Stores one message; a single insert unless the id is there already. */
export const publish: Operation<PublishArgs, PublishOutcome> = {
  kind: "statement",
  run: (scope, args) => storeMessage(scope, args.namespace, args.message, false),
};

/** Stores all messages or, when one throws, none. */
export const publishAll: Operation<PublishAllArgs, PublishOutcome[]> = {
  kind: "steps",
  run: (scope, args) =>
    args.messages.map((message) => storeMessage(scope, args.namespace, message, args.replacePending)),
};

/** Gives a message to every present consumer of a channel, at most once each, and numbers it. */
export const publishBroadcast: Operation<{ namespace: string; channel: string; envelope: string }, void> = {
  kind: "statement",
  run(scope, { namespace, channel, envelope }) {
    const row = scope.sql.get<{ sequence: number }>(NEXT_SEQUENCE, { namespace, channel, now: scope.now });
    const sequence = row?.sequence ?? 0;
    scope.afterCommit(scope.events.broadcast(namespace, channel, { envelope, sequence }));
  },
};

/**
 * Inserts a message, or says that this very message is there already. Throws `DuplicateIdConflictError` when its id is
 * taken by another one, unless that may be, and can be, replaced.
 */
export function storeMessage(
  scope: OperationScope,
  namespace: string,
  message: StoredMessage,
  replacePending: boolean,
): PublishOutcome {
  try {
    insertMessage(scope, namespace, message);
    return "stored";
  } catch (error) {
    if (!isConstraintError(error)) throw error;
  }
  const found = scope.sql.get<FoundJob>(FIND_JOB, { namespace, id: message.id });
  if (found === undefined) throw new Error("A message both exists and does not.");
  if (isSame(found, message)) return "duplicate";
  const leased = found.state === JOB_STATE.LEASED && found.dueAt > scope.now;
  if (!replacePending || leased) throw new DuplicateIdConflictError(message.id, found.queue);
  scope.sql.run(DELETE_JOB, { seq: found.seq });
  insertMessage(scope, namespace, message);
  return "replaced";
}

/** Inserts a message and tells the owner that its queue has one, or when it will. */
export function insertMessage(scope: OperationScope, namespace: string, message: StoredMessage): void {
  const { id, queue, priority, visibilityTimeout, envelope } = message;
  const common = { namespace, id, queue, queueKey: queueKey(namespace, queue), priority, envelope };
  const delayed = message.notBefore > scope.now;
  const dueAt = delayed ? message.notBefore : scope.now;
  if (!delayed && visibilityTimeout === null) scope.sql.run(INSERT_READY_JOB, { ...common, dueAt });
  else {
    const state = delayed ? JOB_STATE.DELAYED : JOB_STATE.READY;
    scope.sql.run(INSERT_JOB, { ...common, state, dueAt, visibilityTimeout });
  }
  announce(scope, namespace, queue, delayed ? message.notBefore : 0);
}

/** Tells the owner, once committed, that a queue has a message now (`dueAt` 0) or later. */
export function announce(scope: OperationScope, namespace: string, queue: string, dueAt: number): void {
  // Before the commit, so that the claim of a waiting consumer shares it; a hint that comes to nothing costs a look.
  if (dueAt === 0) scope.events.queueReady(namespace, queue);
  else scope.events.dueAt(dueAt);
}

function isSame(found: FoundJob, message: StoredMessage): boolean {
  if (found.envelope === message.envelope) return true;
  try {
    return isSameMessage(decodeEnvelope(found.envelope), decodeEnvelope(message.envelope));
  } catch {
    // What is stored cannot be read: it is certainly not the same message.
    return false;
  }
}
