import type { GroupStatus, TaskStatus, TaskStatusRecord, WorkerHeartbeat } from "../../src/contracts/result-backend.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { PushIterator } from "./push-iterator.ts";

/** Something with a time to live; gone for every read from `expiresAt` on. */
export interface Expiring {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A status as it is kept: as text, so that no object is shared with a caller. */
export interface StoredStatus extends Expiring {
  readonly text: string;
  readonly fence: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A group as it is kept. */
export interface StoredGroup extends Expiring {
  readonly id: string;
  readonly expected: number;
  readonly metaText: string;
  /** Member statuses as text, by task id. */
  readonly results: Map<string, string>;
}

/** A heartbeat as it is kept, its dates in milliseconds since the epoch. */
export interface StoredHeartbeat extends Expiring {
  readonly text: string;
  readonly timestamp: number;
  readonly lastLeaseRenewal: number | undefined;
}

/** Everything that is stored in one namespace. */
export class ResultNamespace {
  readonly statuses: Map<string, StoredStatus> = new Map();
  readonly groups: Map<string, StoredGroup> = new Map();
  readonly heartbeats: Map<string, StoredHeartbeat> = new Map();
  /** Open watches by task id. */
  readonly watches: Map<string, Set<PushIterator<TaskStatus>>> = new Map();

  removeExpired(now: number): void {
    for (const rows of [this.statuses, this.groups, this.heartbeats] as readonly Map<string, Expiring>[]) {
      for (const [key, row] of rows) if (row.expiresAt <= now) rows.delete(key);
    }
  }
}

/** The row under `key`, unless there is none or it has expired. */
export function readAlive<Row extends Expiring>(
  rows: ReadonlyMap<string, Row>,
  key: string,
  now: number,
): Row | undefined {
  const row = rows.get(key);
  return row !== undefined && row.expiresAt > now ? row : undefined;
}

/** Results of all namespaces, for several `InMemoryResultBackend` handles in one process. */
export class InMemoryResultStore {
  readonly #namespaces = new Map<string, ResultNamespace>();

  /** @internal */
  namespace(name: string): ResultNamespace {
    const known = this.#namespaces.get(name) ?? new ResultNamespace();
    this.#namespaces.set(name, known);
    return known;
  }
}

/** An empty store to share between `InMemoryResultBackend` handles. */
export function inMemoryResultStore(): InMemoryResultStore {
  return new InMemoryResultStore();
}

/** Reads a stored status; each call makes new objects. */
export function readStatus(text: string): TaskStatus {
  return JSON.parse(text) as TaskStatus;
}

/** Reads a stored status with its dates. */
export function readRecord(row: StoredStatus): TaskStatusRecord {
  return { status: readStatus(row.text), createdAt: new Date(row.createdAt), updatedAt: new Date(row.updatedAt) };
}

/** Reads a stored group. */
export function readGroup(row: StoredGroup): GroupStatus {
  return {
    id: row.id,
    expected: row.expected,
    results: new Map([...row.results].map(([taskId, text]) => [taskId, readStatus(text)])),
    meta: JSON.parse(row.metaText) as JsonObject,
    completed: row.results.size,
    isComplete: row.results.size >= row.expected,
  };
}

/** Reads a stored heartbeat. */
export function readHeartbeat(row: StoredHeartbeat): WorkerHeartbeat {
  const plain = JSON.parse(row.text) as Omit<WorkerHeartbeat, "timestamp" | "lastLeaseRenewal">;
  return {
    ...plain,
    timestamp: new Date(row.timestamp),
    ...(row.lastLeaseRenewal === undefined ? {} : { lastLeaseRenewal: new Date(row.lastLeaseRenewal) }),
  };
}
