import { isTerminal } from "../../../src/core/task-state.ts";
import { DuplicateIdConflictError, LeaseLostError } from "../../../src/errors.ts";
import { toStatusText } from "../status-json.ts";
import { putGroupResult } from "./groups.ts";
import type { Operation, OperationScope } from "./operation.ts";
import { storeMessage } from "./publish.ts";
import { findStatus, putStatus, type StoredStatusWrite, wasWritten } from "./results.ts";
import { ackDelivery, deadLetterDelivery, type DeliveryRef, retryDelivery } from "./settle.ts";
import type { StoredMessage } from "./stored-message.ts";

/** How a delivery ends, encoded and checked by the member; `meta` is JSON. */
export type StoredDeliveryEnd =
  | { readonly kind: "ack" }
  | { readonly kind: "retry"; readonly next: StoredMessage }
  | { readonly kind: "dead-letter"; readonly reason: string; readonly meta: string };

export interface SettleTaskArgs {
  /** Null for a broadcast, which has no lease to end. */
  readonly delivery: DeliveryRef | null;
  readonly end: StoredDeliveryEnd;
  readonly backendNamespace: string;
  /** Its fence is the token of the delivery. */
  readonly status: StoredStatusWrite;
  readonly groupId: string | null;
  readonly brokerNamespace: string;
  readonly publish: readonly StoredMessage[];
  /** Statuses `queued` of messages in `publish`. */
  readonly queued: readonly StoredStatusWrite[];
}

/**
 * Ends a delivery, and stores its status, its group result and what follows it, all or nothing: a stale token is
 * `LeaseLostError`. Where the rule of statuses lets the stored one stand, the delivery is ended all the same. The same
 * call again does nothing, as long as the owner remembers the ack.
 */
export const settleTask: Operation<SettleTaskArgs, void> = {
  kind: "steps",
  run(scope, { delivery, end, backendNamespace, status, groupId, brokerNamespace, publish, queued }) {
    if (delivery !== null && scope.events.wasAcked(delivery.token)) {
      // Its messages may have been consumed since: they must not be published twice. An ack alone stored no status.
      if (wasWritten(scope, backendNamespace, status)) return;
      throw new LeaseLostError(delivery.id, delivery.queue);
    }
    const isStored = putStatus(scope, backendNamespace, status);
    if (groupId !== null) addToGroup(scope, { namespace: backendNamespace, groupId }, status, isStored);
    const begun = new Set(queued.filter((write) => hasBegun(scope, backendNamespace, write)).map(({ id }) => id));
    for (const message of publish) if (!begun.has(message.id)) publishOnce(scope, brokerNamespace, message);
    // Last: what it tells the owner is not taken back when a later step throws.
    if (delivery !== null) endDelivery(scope, delivery, end);
  },
};

function endDelivery(scope: OperationScope, delivery: DeliveryRef, end: StoredDeliveryEnd): void {
  switch (end.kind) {
    case "ack":
      ackDelivery(scope, delivery);
      break;
    case "retry":
      retryDelivery(scope, delivery, end.next);
      break;
    case "dead-letter":
      deadLetterDelivery(scope, delivery, end.reason, end.meta);
      break;
  }
}

/** A group counts what its member's status is in the end, which is the stored one where that stands. */
function addToGroup(
  scope: OperationScope,
  group: Readonly<{ namespace: string; groupId: string }>,
  status: StoredStatusWrite,
  isStored: boolean,
): void {
  const member = isStored ? status : (findStatus(scope, { namespace: group.namespace, id: status.id }) ?? status);
  if (isTerminal(member.state)) putGroupResult(scope, group, { taskId: member.id, status: toStatusText(member) });
}

/** Whether a task that is to be queued was published before, by its status, which is written where there is none. */
function hasBegun(scope: OperationScope, namespace: string, write: StoredStatusWrite): boolean {
  if (putStatus(scope, namespace, write)) return false;
  const stored = findStatus(scope, { namespace, id: write.id });
  return stored !== null && stored.state !== "queued";
}

function publishOnce(scope: OperationScope, namespace: string, message: StoredMessage): void {
  try {
    storeMessage(scope, namespace, message, false);
  } catch (error) {
    // The id belongs to a message that was stored before; it stays as it is.
    if (!(error instanceof DuplicateIdConflictError)) throw error;
  }
}
