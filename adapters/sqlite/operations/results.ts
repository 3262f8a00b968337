import type { TaskState } from "../../../src/core/task-state.ts";
import { SWEEP_HEARTBEATS } from "../sql/heartbeats.ts";
import {
  EXPIRE_STATUS,
  FIND_WRITTEN,
  GET_STATUS,
  LIST_STATUSES,
  PUT_STATUS,
  SWEEP_STATUSES,
} from "../sql/task-results.ts";
import { sweepGroups } from "./groups.ts";
import type { Operation, OperationScope } from "./operation.ts";

/** A status as it is stored, told to watchers and sent to a member; `payload`, `error` and `meta` are JSON. */
export interface StoredStatus {
  readonly id: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly payload: string | null;
  readonly error: string | null;
  readonly meta: string;
}

/** A status to be written, encoded and checked by the member. */
export interface StoredStatusWrite extends StoredStatus {
  readonly fence: number | null;
  /** `meta.queue`, for the list filter. */
  readonly queue: string | null;
  readonly ttl: number;
}

/** A status with its dates, in epoch milliseconds. */
export interface StatusRecordRow extends StoredStatus {
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** One status of one namespace. */
export interface StatusRef {
  readonly namespace: string;
  readonly id: string;
}

export interface SetStatusArgs {
  readonly namespace: string;
  readonly write: StoredStatusWrite;
}

export interface ListStatusesArgs {
  readonly namespace: string;
  readonly state: TaskState | null;
  readonly queue: string | null;
  /** JSON object. */
  readonly meta: string;
  readonly limit: number;
  readonly offset: number;
}

const SWEEP_LIMIT = 500;

/** Writes a status in one statement; `false` when the stored one stands. */
export const setStatus: Operation<SetStatusArgs, boolean> = {
  kind: "statement",
  run: (scope, { namespace, write }) => putStatus(scope, namespace, write),
};

export const getStatus: Operation<StatusRef, StoredStatus | null> = {
  kind: "read",
  run: (scope, ref) => findStatus(scope, ref),
};

/**
 * Returns the present status and pushes each later one. The watch begins after the commit, as signals are given then,
 * in the order of the operations: what was written before in the same transaction is in the reply and not pushed again.
 */
export const watchStatus: Operation<StatusRef & { readonly subscription: number }, StoredStatus | null> = {
  kind: "read",
  run(scope, { subscription, namespace, id }) {
    const ref = { member: scope.member.id, subscription };
    scope.afterCommit(() => scope.events.watch(ref, statusTopic(namespace, id)));
    return findStatus(scope, { namespace, id });
  },
};

/** Ends a watch of any topic; the member has had the reply that began it. */
export const unwatch: Operation<{ readonly subscription: number }, void> = {
  kind: "read",
  run(scope, { subscription }) {
    // At once: a commit that fails must not leave a watch behind that nobody will end again.
    scope.events.unwatch({ member: scope.member.id, subscription });
  },
};

export const listStatuses: Operation<ListStatusesArgs, StatusRecordRow[]> = {
  kind: "read",
  run: (scope, args) => scope.sql.all<StatusRecordRow>(LIST_STATUSES, { ...args, now: scope.now }),
};

export const expireStatus: Operation<StatusRef & { readonly ttl: number }, void> = {
  kind: "statement",
  isRepeatable: true,
  run(scope, { namespace, id, ttl }) {
    scope.sql.run(EXPIRE_STATUS, { namespace, id, now: scope.now, expiresAt: expiryOf(scope, ttl) });
  },
};

/** Deletes a bounded number of expired rows of each table; `true` when there may be more. */
export const sweepResults: Operation<Readonly<Record<string, never>>, boolean> = {
  kind: "steps",
  isRepeatable: true,
  run(scope) {
    const bounds = { now: scope.now, limit: SWEEP_LIMIT };
    const statuses = scope.sql.run(SWEEP_STATUSES, bounds);
    const heartbeats = scope.sql.run(SWEEP_HEARTBEATS, bounds);
    const isGroupLeft = sweepGroups(scope, SWEEP_LIMIT);
    return statuses === SWEEP_LIMIT || heartbeats === SWEEP_LIMIT || isGroupLeft;
  },
};

/** See {@link setStatus}; watchers are told after the commit, and only of a change. */
export function putStatus(scope: OperationScope, namespace: string, write: StoredStatusWrite): boolean {
  const { id, state, attempt, fence, payload, error, meta, queue } = write;
  const { now } = scope;
  const expiresAt = expiryOf(scope, write.ttl);
  const row = { namespace, id, state, attempt, fence, payload, error, meta, queue, now, expiresAt };
  if (scope.sql.run(PUT_STATUS, row) === 0) return false;
  scope.afterCommit(() => scope.events.signal(statusTopic(namespace, id), write));
  return true;
}

/** The status of a task, unless it has expired. */
export function findStatus(
  scope: Pick<OperationScope, "sql" | "now">,
  { namespace, id }: StatusRef,
): StoredStatus | null {
  return scope.sql.get<StoredStatus>(GET_STATUS, { namespace, id, now: scope.now }) ?? null;
}

/** Whether the stored status is the one that this very write, under the token of its delivery, has left. */
export function wasWritten(scope: OperationScope, namespace: string, write: StoredStatusWrite): boolean {
  const { id, state, attempt, fence } = write;
  return scope.sql.get(FIND_WRITTEN, { namespace, id, state, attempt, fence, now: scope.now }) !== undefined;
}

/** The whole millisecond at which a time to live that begins now has passed. */
export function expiryOf(scope: OperationScope, ttl: number): number {
  return scope.now + Math.ceil(ttl);
}

/** What a watch of this topic would be told now; `undefined` for other topics and for a status that is not there. */
export function readStatusTopic(scope: Pick<OperationScope, "sql" | "now">, topic: string): StoredStatus | undefined {
  const [kind, namespace, id] = topic.split("\n");
  if (kind !== "status" || namespace === undefined || id === undefined) return undefined;
  return findStatus(scope, { namespace, id }) ?? undefined;
}

/** A line feed is in no name: namespace and id cannot run into each other. */
function statusTopic(namespace: string, id: string): string {
  return `status\n${namespace}\n${id}`;
}
