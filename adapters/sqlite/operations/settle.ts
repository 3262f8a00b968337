import { LeaseLostError } from "../../../src/errors.ts";
import { ACK_JOB, DELETE_JOB, EXTEND_LEASE, FIND_DELIVERED, REQUEUE_JOB, RETRY_JOB } from "../sql/queue-jobs.ts";
import { INSERT_DEAD_LETTER } from "../sql/dead-letters.ts";
import type { Operation, OperationScope } from "./operation.ts";
import { announce, JOB_STATE } from "./publish.ts";
import { queueKey } from "./queue-key.ts";
import type { StoredMessage } from "./stored-message.ts";

/** Names a delivery; `id` and `queue` are for the error message only. */
export interface DeliveryRef {
  readonly seq: number;
  readonly token: number;
  readonly id: string;
  readonly queue: string;
}

export interface NackArgs {
  readonly delivery: DeliveryRef;
  readonly countsAsDelivery: boolean;
  /** At this many counted deliveries the message becomes a dead letter instead. */
  readonly maxDeliveries: number;
}

export interface RetryArgs {
  readonly delivery: DeliveryRef;
  readonly next: StoredMessage;
}

export interface DeadLetterArgs {
  readonly delivery: DeliveryRef;
  readonly reason: string | null;
  /** JSON. */
  readonly meta: string;
}

export interface ExtendArgs {
  readonly delivery: DeliveryRef;
  readonly by: number;
}

/** The stored message of a current delivery. */
export interface DeliveredRow {
  readonly seq: number;
  readonly namespace: string;
  readonly id: string;
  readonly queue: string;
  readonly deliveries: number;
  readonly envelope: string;
}

/** Ends a message. Doing it twice is the same as once; any other stale token is `LeaseLostError`. */
export const ack: Operation<DeliveryRef, void> = {
  kind: "statement",
  run: (scope, delivery) => ackDelivery(scope, delivery),
};

/** Makes a message ready again at once. */
export const requeue: Operation<NackArgs, void> = {
  kind: "steps",
  run(scope, { delivery, countsAsDelivery, maxDeliveries }) {
    const row = findDelivered(scope, delivery);
    if (countsAsDelivery && row.deliveries >= maxDeliveries) {
      buryExhausted(scope, row);
      return settled(scope, delivery);
    }
    scope.sql.run(REQUEUE_JOB, {
      seq: row.seq,
      token: delivery.token,
      refund: countsAsDelivery ? 0 : 1,
      now: scope.now,
    });
    announce(scope, row.namespace, row.queue, 0);
    settled(scope, delivery);
  },
};

/** Gives back deliveries that no consumer code has seen; a token that is stale by now is left alone. */
export const giveBack: Operation<readonly DeliveryRef[], void> = {
  kind: "steps",
  run(scope, deliveries) {
    for (const delivery of deliveries) {
      const row = scope.sql.get<DeliveredRow>(FIND_DELIVERED, { seq: delivery.seq, token: delivery.token });
      if (row === undefined) continue;
      scope.sql.run(REQUEUE_JOB, { seq: row.seq, token: delivery.token, refund: 1, now: scope.now });
      announce(scope, row.namespace, row.queue, 0);
      settled(scope, delivery);
    }
  },
};

/** Puts the next attempt in the place of the delivered message. */
export const retry: Operation<RetryArgs, void> = {
  kind: "statement",
  run: (scope, { delivery, next }) => retryDelivery(scope, delivery, next),
};

/** Moves a message to the dead letters of its queue. */
export const deadLetter: Operation<DeadLetterArgs, void> = {
  kind: "steps",
  run: (scope, { delivery, reason, meta }) => deadLetterDelivery(scope, delivery, reason, meta),
};

/** Prolongs a lease and returns when it ends, in epoch milliseconds. */
export const extendLease: Operation<ExtendArgs, number> = {
  kind: "statement",
  isRepeatable: true,
  run(scope, { delivery, by }) {
    const leaseUntil = scope.now + by;
    const values = { seq: delivery.seq, token: delivery.token, leaseUntil, leaseMs: by };
    const row = scope.sql.get<{ leaseUntil: number }>(EXTEND_LEASE, values);
    if (row === undefined) throw new LeaseLostError(delivery.id, delivery.queue);
    // At once, as the claims at the end of this transaction must not take the lease for lapsed.
    scope.events.extended(delivery.token, row.leaseUntil);
    return row.leaseUntil;
  },
};

/** See {@link ack}. */
export function ackDelivery(scope: OperationScope, delivery: DeliveryRef): void {
  const changed = scope.sql.run(ACK_JOB, { seq: delivery.seq, token: delivery.token });
  if (changed === 0 && !scope.events.wasAcked(delivery.token)) throw new LeaseLostError(delivery.id, delivery.queue);
  scope.events.acked(delivery.token);
  settled(scope, delivery);
}

/** See {@link retry}. */
export function retryDelivery(scope: OperationScope, delivery: DeliveryRef, next: StoredMessage): void {
  const row = findDelivered(scope, delivery);
  const delayed = next.notBefore > scope.now;
  scope.sql.run(RETRY_JOB, {
    seq: row.seq,
    token: delivery.token,
    state: delayed ? JOB_STATE.DELAYED : JOB_STATE.READY,
    dueAt: delayed ? next.notBefore : scope.now,
    queue: next.queue,
    queueKey: queueKey(row.namespace, next.queue),
    priority: next.priority,
    visibilityTimeout: next.visibilityTimeout,
    envelope: next.envelope,
  });
  announce(scope, row.namespace, next.queue, delayed ? next.notBefore : 0);
  settled(scope, delivery);
}

/** See {@link deadLetter}. */
export function deadLetterDelivery(
  scope: OperationScope,
  delivery: DeliveryRef,
  reason: string | null,
  meta: string,
): void {
  bury(scope, findDelivered(scope, delivery), reason, meta);
  settled(scope, delivery);
}

/** Deletes a stored message and makes a dead letter of it. */
export function bury(
  scope: Pick<OperationScope, "sql" | "now">,
  row: Readonly<{ seq: number; namespace: string; id: string; queue: string; envelope: string }>,
  reason: string | null,
  meta: string,
): void {
  const { namespace, id, queue, envelope } = row;
  scope.sql.run(DELETE_JOB, { seq: row.seq });
  scope.sql.run(INSERT_DEAD_LETTER, { namespace, queue, id, envelope, reason, meta, deadAt: scope.now });
}

/** See {@link bury}; for a message that was delivered as often as it may be. */
export function buryExhausted(
  scope: Pick<OperationScope, "sql" | "now">,
  row: Readonly<{ seq: number; namespace: string; id: string; queue: string; envelope: string; deliveries: number }>,
): void {
  bury(scope, row, "max-deliveries-exceeded", JSON.stringify({ deliveries: row.deliveries }));
}

function findDelivered(scope: OperationScope, delivery: DeliveryRef): DeliveredRow {
  const row = scope.sql.get<DeliveredRow>(FIND_DELIVERED, { seq: delivery.seq, token: delivery.token });
  if (row === undefined) throw new LeaseLostError(delivery.id, delivery.queue);
  return row;
}

/** Last in each operation: nothing after it may throw. */
function settled(scope: OperationScope, delivery: DeliveryRef): void {
  scope.events.settled(delivery.token);
}
