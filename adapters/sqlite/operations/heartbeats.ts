import { DELETE_HEARTBEAT, GET_HEARTBEAT, LIST_HEARTBEATS, PUT_HEARTBEAT } from "../sql/heartbeats.ts";
import type { Operation } from "./operation.ts";

/** One worker of one namespace. */
export interface WorkerRef {
  readonly namespace: string;
  readonly workerId: string;
}

export interface SetHeartbeatArgs extends WorkerRef {
  /** JSON. */
  readonly heartbeat: string;
  readonly ttl: number;
}

interface HeartbeatRow {
  readonly heartbeat: string;
}

export const setHeartbeat: Operation<SetHeartbeatArgs, void> = {
  kind: "statement",
  isRepeatable: true,
  run(scope, { namespace, workerId, heartbeat, ttl }) {
    scope.sql.run(PUT_HEARTBEAT, { namespace, workerId, heartbeat, expiresAt: scope.now + Math.ceil(ttl) });
  },
};

export const getHeartbeat: Operation<WorkerRef, string | null> = {
  kind: "read",
  run: (scope, { namespace, workerId }) =>
    scope.sql.get<HeartbeatRow>(GET_HEARTBEAT, { namespace, workerId, now: scope.now })?.heartbeat ?? null,
};

/** By worker id. */
export const listHeartbeats: Operation<{ readonly namespace: string }, string[]> = {
  kind: "read",
  run: (scope, { namespace }) =>
    scope.sql.all<HeartbeatRow>(LIST_HEARTBEATS, { namespace, now: scope.now }).map(({ heartbeat }) => heartbeat),
};

export const removeHeartbeat: Operation<WorkerRef, void> = {
  kind: "statement",
  isRepeatable: true,
  run(scope, { namespace, workerId }) {
    scope.sql.run(DELETE_HEARTBEAT, { namespace, workerId });
  },
};
