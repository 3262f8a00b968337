import { stringifyObjectWithin } from "../../src/core/json.ts";
import type { DatabaseHealth } from "../../src/contracts/database-health.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import type {
  GroupDescriptor,
  GroupStatus,
  ResultBackend,
  SetStatusOptions,
  TaskStatus,
  TaskStatusListRequest,
  TaskStatusPage,
  WorkerHeartbeat,
} from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { checkName } from "../../src/core/names.ts";
import { checkDate, checkInteger, checkOneOf, mergeOptions } from "../../src/core/options.ts";
import { isTerminal, TASK_STATES, type TaskState } from "../../src/core/task-state.ts";
import { ClosedError, InvalidOptionError } from "../../src/errors.ts";
import { splitConnectionOptions } from "./connection-options.ts";
import { readHealth } from "./database-health.ts";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat-json.ts";
import { watchHub } from "./hub-watch.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { type HubHandle, openHub } from "./open-hub.ts";
import type { StoredStatus } from "./operations/results.ts";
import { parseDatabaseUrl } from "./parse-database-url.ts";
import type { PushStream } from "./push-stream.ts";
import {
  type ResolvedSqliteResultBackendOptions,
  resolveSqliteResultBackendOptions,
  type SqliteResultBackendOptions,
} from "./sqlite-result-backend-options.ts";
import {
  COUNT,
  type StatusBounds,
  toGroupStatus,
  toStatus,
  toStatusRecord,
  toStatusText,
  toStoredSet,
  toStoredStatus,
} from "./status-json.ts";
import { Sweeper } from "./sweeper.ts";

const LIMITS = { min: 0, max: 10_000 } as const;
const OFFSETS = { min: 0, max: Number.MAX_SAFE_INTEGER - LIMITS.max } as const;

type ListDefaults = Required<Pick<TaskStatusListRequest, "limit" | "offset" | "meta">> &
  Pick<TaskStatusListRequest, "state" | "queue">;
const LIST_DEFAULTS = { state: undefined, queue: undefined, meta: {}, limit: 50, offset: 0 } as unknown as ListDefaults;
type ChordOptions = Readonly<{ callbackTaskId?: string; dispatchedAt?: Date }>;
const CHORD_DEFAULTS = { callbackTaskId: undefined, dispatchedAt: undefined } as unknown as ChordOptions;

/**
 * Statuses, groups and heartbeats in a SQLite file. Every promise resolves once its effect is committed and, with
 * `durability: "full"`, safe from a power cut.
 */
export class SqliteResultBackend implements ResultBackend {
  readonly namespace: string;
  readonly #handle: HubHandle;
  readonly #options: ResolvedSqliteResultBackendOptions;
  readonly #logger: Logger;
  readonly #sweeper: Sweeper;
  readonly #watches = new Set<PushStream<TaskStatus>>();
  #closing: Promise<void> | undefined;

  private constructor(handle: HubHandle, options: ResolvedSqliteResultBackendOptions, logger: Logger) {
    this.#handle = handle;
    this.#options = options;
    this.#logger = logger;
    this.namespace = options.namespace;
    this.#sweeper = new Sweeper(handle.clock, options.cleanupInterval, () => this.runCleanup(), logger);
  }

  /**
   * Opens, and creates where absent, the backend in `file`: a path on Node, or `":memory:"`. Brings its schema up to
   * date. Throws as `SqliteBroker.open` does, leaving the file as it was.
   */
  static async open(file: string, options?: SqliteResultBackendOptions): Promise<SqliteResultBackend> {
    const { connection, own } = splitConnectionOptions(options);
    const resolved = resolveSqliteResultBackendOptions(own);
    return new SqliteResultBackend(await openHub(file, connection), resolved, connection.logger);
  }

  /** Like {@link SqliteResultBackend.open}, for `sqlite:` and `file:` URLs and plain paths. */
  static async connect(url: string, options?: SqliteResultBackendOptions): Promise<SqliteResultBackend> {
    return SqliteResultBackend.open(parseDatabaseUrl(url), options);
  }

  async set(taskId: string, state: TaskState, options: SetStatusOptions = {}): Promise<boolean> {
    const hub = this.#hub();
    const write = toStoredSet(taskId, state, options, this.#options);
    return hub.call("setStatus", { namespace: this.namespace, write });
  }

  async get(taskId: string): Promise<TaskStatus | null> {
    const stored = await this.#hub().call("getStatus", this.#status(taskId));
    return stored === null ? null : toStatus(stored);
  }

  watch(taskId: string): AsyncIterableIterator<TaskStatus> {
    const hub = this.#hub();
    const ref = this.#status(taskId);
    const stream = watchHub<StoredStatus, TaskStatus>({
      hub,
      logger: this.#logger,
      begin: async (subscription) => {
        const present = await hub.call("watchStatus", { ...ref, subscription });
        return present === null ? [] : [present];
      },
      read: toStatus,
      isLast: ({ state }) => isTerminal(state),
      onEnd: (ended) => this.#watches.delete(ended),
    });
    this.#watches.add(stream);
    return stream;
  }

  async listTaskStatuses(request?: TaskStatusListRequest): Promise<TaskStatusPage> {
    const hub = this.#hub();
    const { state, queue, meta, limit, offset } = mergeOptions(LIST_DEFAULTS, request as Partial<ListDefaults>);
    checkInteger("limit", limit, LIMITS);
    const args = {
      namespace: this.namespace,
      state: state === undefined ? null : checkOneOf("state", state, TASK_STATES),
      queue: queue === undefined ? null : checkName("queue", queue),
      meta: stringifyObjectWithin(meta, "meta", this.#options.maxPayloadBytes),
      limit: limit + 1,
      offset: checkInteger("offset", offset, OFFSETS),
    };
    if (limit === 0) return { items: [] };
    const rows = await hub.call("listStatuses", args);
    const items = rows.slice(0, limit).map(toStatusRecord);
    return rows.length > limit ? { items, nextOffset: offset + limit } : { items };
  }

  async expire(taskId: string, ttl: Milliseconds): Promise<void> {
    checkDuration("ttl", ttl);
    await this.#hub().call("expireStatus", { ...this.#status(taskId), ttl });
  }

  async setWorkerHeartbeat(heartbeat: WorkerHeartbeat): Promise<void> {
    const hub = this.#hub();
    const text = encodeHeartbeat(heartbeat, this.#options.maxPayloadBytes);
    const ref = this.#worker(heartbeat.workerId);
    await hub.call("setHeartbeat", { ...ref, heartbeat: text, ttl: this.#options.heartbeatTtl });
  }

  async getWorkerHeartbeat(workerId: string): Promise<WorkerHeartbeat | null> {
    const text = await this.#hub().call("getHeartbeat", this.#worker(workerId));
    return text === null ? null : decodeHeartbeat(text);
  }

  async listWorkerHeartbeats(): Promise<readonly WorkerHeartbeat[]> {
    return (await this.#hub().call("listHeartbeats", { namespace: this.namespace })).map(decodeHeartbeat);
  }

  async removeWorkerHeartbeat(workerId: string): Promise<void> {
    await this.#hub().call("removeHeartbeat", this.#worker(workerId));
  }

  async initGroup(group: GroupDescriptor): Promise<void> {
    const hub = this.#hub();
    if (group === null || typeof group !== "object") throw new InvalidOptionError("group", group, "an object");
    const { id, expected, meta = {}, ttl = this.#options.groupDefaultTtl } = group;
    await hub.call("initGroup", {
      ...this.#group(id),
      expected: checkInteger("expected", expected, COUNT),
      meta: stringifyObjectWithin(meta, "meta", this.#options.maxPayloadBytes),
      ttl: checkDuration("ttl", ttl),
    });
  }

  async addGroupResult(groupId: string, status: TaskStatus): Promise<GroupStatus | null> {
    const hub = this.#hub();
    if (status === null || typeof status !== "object") throw new InvalidOptionError("status", status, "a task status");
    const member = toStoredStatus(status, this.#options.maxPayloadBytes);
    const result = { taskId: member.id, status: toStatusText(member) };
    const group = await hub.call("addGroupResult", { ...this.#group(groupId), result });
    return group === null ? null : toGroupStatus(group);
  }

  async getGroup(groupId: string): Promise<GroupStatus | null> {
    const group = await this.#hub().call("getGroup", this.#group(groupId));
    return group === null ? null : toGroupStatus(group);
  }

  async claimChord(groupId: string, options?: ChordOptions): Promise<boolean> {
    const hub = this.#hub();
    const { callbackTaskId, dispatchedAt } = mergeOptions(CHORD_DEFAULTS, options);
    return hub.call("claimChord", {
      ...this.#group(groupId),
      callbackTaskId: callbackTaskId === undefined ? null : checkName("task id", callbackTaskId),
      dispatchedAt: dispatchedAt === undefined ? null : checkDate("dispatchedAt", dispatchedAt).getTime(),
    });
  }

  /** Deletes what has expired, in bounded transactions; the timer's work, for whoever wants it now. */
  async runCleanup(): Promise<void> {
    const hub = this.#hub();
    while (this.#closing === undefined && (await hub.call("sweepResults", {})));
  }

  /** Whether this backend and that handle write in one transaction. @internal */
  sharesDatabase(handle: HubHandle): boolean {
    return this.#handle.databaseKey === handle.databaseKey;
  }

  /** Limits of what a settler writes into this backend; throws `ClosedError` once it is closed. @internal */
  get bounds(): StatusBounds {
    this.#hub();
    return this.#options;
  }

  /** How the database is: where it is kept, who owns it, what it takes. */
  async health(): Promise<DatabaseHealth> {
    return readHealth(this.#hub());
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#sweeper.stop(), ...[...this.#watches].map((watch) => watch.end())]);
    await this.#handle.release();
  }

  #hub(): HubClient {
    if (this.#closing !== undefined) throw new ClosedError("The result backend");
    return this.#handle.hub;
  }

  #status(taskId: string): Readonly<{ namespace: string; id: string }> {
    return { namespace: this.namespace, id: checkName("task id", taskId) };
  }

  #group(groupId: string): Readonly<{ namespace: string; groupId: string }> {
    return { namespace: this.namespace, groupId: checkName("group id", groupId) };
  }

  #worker(workerId: string): Readonly<{ namespace: string; workerId: string }> {
    return { namespace: this.namespace, workerId: checkName("worker", workerId) };
  }
}
