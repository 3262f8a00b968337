import { stringifyObjectWithin } from "../../src/core/json.ts";
import type { Timer } from "../../src/contracts/clock.ts";
import type {
  GroupDescriptor,
  GroupStatus,
  ResultBackend,
  SetStatusOptions,
  TaskStatus,
  TaskStatusListRequest,
  TaskStatusPage,
  TaskStatusRecord,
  WorkerHeartbeat,
} from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkDate, checkInteger, checkOneOf } from "../../src/core/options.ts";
import { isTerminal, mayReplace, TASK_STATES, type TaskState } from "../../src/core/task-state.ts";
import { ClosedError } from "../../src/errors.ts";
import {
  type InMemoryResultBackendOptions,
  type ResolvedInMemoryResultBackendOptions,
  resolveInMemoryResultBackendOptions,
} from "./in-memory-result-backend-options.ts";
import {
  InMemoryResultStore,
  readAlive,
  readGroup,
  readHeartbeat,
  readRecord,
  readStatus,
  type ResultNamespace,
  type StoredStatus,
} from "./in-memory-result-store.ts";
import { PushIterator } from "./push-iterator.ts";
import { repeatEvery } from "./repeat-every.ts";
import { COUNT, encodeHeartbeat, encodeStatus, isEqualJson, LIMIT } from "./result-checks.ts";

/** The whole result contract on plain maps, kept as long as the process: for tests, and an oracle for others. */
export class InMemoryResultBackend implements ResultBackend {
  readonly namespace: string;
  readonly #options: ResolvedInMemoryResultBackendOptions;
  readonly #state: ResultNamespace;
  readonly #watches = new Set<PushIterator<TaskStatus>>();
  readonly #sweeper: Timer;
  #closed = false;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option. */
  constructor(options?: InMemoryResultBackendOptions) {
    this.#options = resolveInMemoryResultBackendOptions(options);
    this.namespace = this.#options.namespace;
    this.#state = (this.#options.store ?? new InMemoryResultStore()).namespace(this.namespace);
    const { clock, cleanupInterval, logger } = this.#options;
    this.#sweeper = repeatEvery(clock, cleanupInterval, logger, () => this.#state.removeExpired(clock.now()));
  }

  async set(taskId: string, state: TaskState, options: SetStatusOptions = {}): Promise<boolean> {
    const now = this.#now();
    const { ttl, fence, attempt = 0, meta = {}, ...rest } = options;
    const text = encodeStatus({ ...rest, id: taskId, state, attempt, meta }, this.#options.maxPayloadBytes);
    const expiresAt = now + checkDuration("ttl", ttl ?? this.#options.defaultTtl);
    if (fence !== undefined) checkInteger("fence", fence, COUNT);
    const stored = readAlive(this.#state.statuses, taskId, now);
    if (stored !== undefined && !mayReplace(stampOf(stored), { state, attempt, fence })) return false;
    this.#state.statuses.set(taskId, {
      text,
      // A write outside of any delivery does not open the door to older deliveries again.
      fence: fence ?? stored?.fence,
      createdAt: stored?.createdAt ?? now,
      updatedAt: now,
      expiresAt,
    });
    this.#announce(taskId, text);
    return true;
  }

  async get(taskId: string): Promise<TaskStatus | null> {
    const row = readAlive(this.#state.statuses, checkName("task id", taskId), this.#now());
    return row === undefined ? null : readStatus(row.text);
  }

  watch(taskId: string): AsyncIterableIterator<TaskStatus> {
    const row = readAlive(this.#state.statuses, checkName("task id", taskId), this.#now());
    const watches = this.#state.watches.get(taskId) ?? new Set();
    const watch = new PushIterator<TaskStatus>((ended) => {
      this.#watches.delete(ended);
      watches.delete(ended);
      if (watches.size === 0) this.#state.watches.delete(taskId);
    });
    this.#state.watches.set(taskId, watches.add(watch));
    this.#watches.add(watch);
    if (row !== undefined) pushStatus(watch, row.text);
    return watch;
  }

  async listTaskStatuses(request: TaskStatusListRequest = {}): Promise<TaskStatusPage> {
    const now = this.#now();
    const limit = checkInteger("limit", request.limit ?? 50, LIMIT);
    const offset = checkInteger("offset", request.offset ?? 0, COUNT);
    if (request.state !== undefined) checkOneOf("state", request.state, TASK_STATES);
    if (request.queue !== undefined) checkName("queue", request.queue);
    if (request.meta !== undefined) stringifyObjectWithin(request.meta, "meta", this.#options.maxPayloadBytes);
    const matches = [...this.#state.statuses.values()]
      .filter((row) => row.expiresAt > now)
      .map((row) => readRecord(row))
      .filter((record) => isMatch(record, request))
      .sort(byUpdate);
    const end = offset + limit;
    const items = matches.slice(offset, end);
    return limit > 0 && end < matches.length ? { items, nextOffset: end } : { items };
  }

  async expire(taskId: string, ttl: Milliseconds): Promise<void> {
    const now = this.#now();
    const expiresAt = now + checkDuration("ttl", ttl);
    const row = readAlive(this.#state.statuses, checkName("task id", taskId), now);
    if (row !== undefined) this.#state.statuses.set(taskId, { ...row, expiresAt });
  }

  async setWorkerHeartbeat(heartbeat: WorkerHeartbeat): Promise<void> {
    const now = this.#now();
    const text = encodeHeartbeat(heartbeat, this.#options.maxPayloadBytes);
    this.#state.heartbeats.set(heartbeat.workerId, {
      text,
      timestamp: heartbeat.timestamp.getTime(),
      lastLeaseRenewal: heartbeat.lastLeaseRenewal?.getTime(),
      expiresAt: now + this.#options.heartbeatTtl,
    });
  }

  async getWorkerHeartbeat(workerId: string): Promise<WorkerHeartbeat | null> {
    const row = readAlive(this.#state.heartbeats, checkName("worker", workerId), this.#now());
    return row === undefined ? null : readHeartbeat(row);
  }

  async listWorkerHeartbeats(): Promise<readonly WorkerHeartbeat[]> {
    const now = this.#now();
    return [...this.#state.heartbeats.values()]
      .filter((row) => row.expiresAt > now)
      .map((row) => readHeartbeat(row))
      .sort((one, other) => compareText(one.workerId, other.workerId));
  }

  async removeWorkerHeartbeat(workerId: string): Promise<void> {
    this.#now();
    this.#state.heartbeats.delete(checkName("worker", workerId));
  }

  async initGroup(group: GroupDescriptor): Promise<void> {
    const now = this.#now();
    this.#state.groups.set(checkName("group id", group.id), {
      id: group.id,
      expected: checkInteger("expected", group.expected, COUNT),
      metaText: stringifyObjectWithin(group.meta ?? {}, "meta", this.#options.maxPayloadBytes),
      results: new Map(),
      expiresAt: now + checkDuration("ttl", group.ttl ?? this.#options.groupDefaultTtl),
    });
  }

  async addGroupResult(groupId: string, status: TaskStatus): Promise<GroupStatus | null> {
    const text = encodeStatus(status, this.#options.maxPayloadBytes);
    const row = readAlive(this.#state.groups, checkName("group id", groupId), this.#now());
    if (row === undefined) return null;
    row.results.set(status.id, text);
    return readGroup(row);
  }

  async getGroup(groupId: string): Promise<GroupStatus | null> {
    const row = readAlive(this.#state.groups, checkName("group id", groupId), this.#now());
    return row === undefined ? null : readGroup(row);
  }

  async claimChord(
    groupId: string,
    options: Readonly<{ callbackTaskId?: string; dispatchedAt?: Date }> = {},
  ): Promise<boolean> {
    const now = this.#now();
    const { callbackTaskId, dispatchedAt } = options;
    if (callbackTaskId !== undefined) checkName("task id", callbackTaskId);
    const at = dispatchedAt === undefined ? new Date(now) : checkDate("dispatchedAt", dispatchedAt);
    const row = readAlive(this.#state.groups, checkName("group id", groupId), now);
    if (row === undefined) return false;
    const meta = JSON.parse(row.metaText) as JsonObject;
    if (meta["stem.chord.claimed"] === true) return false;
    const claimed: JsonObject = {
      ...meta,
      "stem.chord.claimed": true,
      ...(callbackTaskId === undefined ? {} : { "stem.chord.callbackTaskId": callbackTaskId }),
      "stem.chord.dispatchedAt": at.toISOString(),
    };
    this.#state.groups.set(groupId, {
      ...row,
      metaText: stringifyObjectWithin(claimed, "meta", Number.POSITIVE_INFINITY),
    });
    return true;
  }

  /** What happens at each `cleanupInterval`: removes what has expired. */
  async runMaintenance(): Promise<void> {
    this.#state.removeExpired(this.#now());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sweeper.cancel();
    for (const watch of [...this.#watches]) watch.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The present time; throws `ClosedError` after `close`. */
  #now(): number {
    if (this.#closed) throw new ClosedError("Result backend");
    return this.#options.clock.now();
  }

  #announce(taskId: string, text: string): void {
    for (const watch of [...(this.#state.watches.get(taskId) ?? [])]) pushStatus(watch, text);
  }
}

function pushStatus(watch: PushIterator<TaskStatus>, text: string): void {
  const status = readStatus(text);
  watch.push(status);
  if (isTerminal(status.state)) watch.end();
}

function stampOf(stored: StoredStatus): Readonly<{ state: TaskState; attempt: number; fence: number | undefined }> {
  const { state, attempt } = readStatus(stored.text);
  return { state, attempt, fence: stored.fence };
}

function isMatch({ status }: TaskStatusRecord, request: TaskStatusListRequest): boolean {
  if (request.state !== undefined && status.state !== request.state) return false;
  if (request.queue !== undefined && status.meta["queue"] !== request.queue) return false;
  return Object.entries(request.meta ?? {}).every(([key, wanted]) => {
    if (!Object.hasOwn(status.meta, key)) return false;
    return wanted === null || isEqualJson(wanted, status.meta[key] ?? null);
  });
}

function byUpdate(one: TaskStatusRecord, other: TaskStatusRecord): number {
  return other.updatedAt.getTime() - one.updatedAt.getTime() || compareText(one.status.id, other.status.id);
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
