import type { Broker } from "../../src/contracts/broker.ts";
import type { DatabaseHealth } from "../../src/contracts/database-health.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import type { TaskError } from "../../src/contracts/result-backend.ts";
import type {
  ClaimOutcome,
  ClaimRequest,
  Continuation,
  EmitOptions,
  EmitReceipt,
  ListRunsRequest,
  NewRun,
  NewWait,
  RunClaim,
  RunPage,
  RunState,
  SaveReceipt,
  StepWrite,
  TaskEnd,
  WorkflowStepEntry,
  WorkflowStore,
  WorkflowWatcher,
} from "../../src/contracts/workflow-store.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { type JsonValue, stringifyJsonWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkInteger, checkOneOf, checkShortText, checkThat } from "../../src/core/options.ts";
import { encodeTaskError } from "../../src/core/task-error.ts";
import {
  checkCheckpointName,
  checkClaim,
  checkLease,
  checkLimit,
  checkOffset,
  checkReason,
  checkRunId,
  encodeClaimRequest,
  encodePayload,
  encodeRun,
  encodeStep,
  encodeTaskEnd,
  encodeWaits,
} from "../../src/core/workflow-checks.ts";
import { toStepEntries } from "../../src/core/workflow-rows.ts";
import { DEFAULT_CANCEL_REASON } from "../../src/core/workflow-rules.ts";
import { hasRunEnded, WORKFLOW_STATUSES } from "../../src/core/workflow-status.ts";
import { ClosedError } from "../../src/errors.ts";
import { splitConnectionOptions } from "./connection-options.ts";
import { readHealth } from "./database-health.ts";
import { watchHub } from "./hub-watch.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { type HubHandle, openHub } from "./open-hub.ts";
import type { WorkflowPlace } from "./operations/workflow-run-changes.ts";
import type { StoredRunState } from "./operations/workflow-watch.ts";
import { parseDatabaseUrl } from "./parse-database-url.ts";
import type { PushStream } from "./push-stream.ts";
import { SqliteBroker } from "./sqlite-broker.ts";
import {
  type ResolvedSqliteWorkflowStoreOptions,
  resolveSqliteWorkflowStoreOptions,
  type SqliteWorkflowStoreOptions,
} from "./sqlite-workflow-store-options.ts";
import { parseStored } from "./status-json.ts";
import { Sweeper } from "./sweeper.ts";
import { toClaimOutcome, toContinuation, toState, toWatcher } from "./workflow-json.ts";

type Page = Readonly<{ limit?: number; offset?: number }>;

/**
 * Runs of workflows in a SQLite file. Every promise resolves once its effect is committed and, with `durability: "full"`,
 * safe from a power cut.
 */
export class SqliteWorkflowStore implements WorkflowStore {
  readonly namespace: string;
  readonly #handle: HubHandle;
  readonly #options: ResolvedSqliteWorkflowStoreOptions;
  readonly #logger: Logger;
  readonly #sweeper: Sweeper;
  readonly #watches = new Set<PushStream<RunState>>();
  #place: WorkflowPlace;
  #closing: Promise<void> | undefined;

  private constructor(handle: HubHandle, options: ResolvedSqliteWorkflowStoreOptions, logger: Logger) {
    this.#handle = handle;
    this.#options = options;
    this.#logger = logger;
    this.namespace = options.namespace;
    this.#place = { namespace: options.namespace, brokerNamespace: null };
    const sweep = async (): Promise<void> => void (await this.prune());
    this.#sweeper = new Sweeper(handle.clock, options.cleanupInterval, sweep, logger);
  }

  /**
   * Opens, and creates where absent, the store in `file`: a path on Node, or `":memory:"`. Brings its schema up to
   * date. Throws as `SqliteBroker.open` does, leaving the file as it was.
   */
  static async open(file: string, options?: SqliteWorkflowStoreOptions): Promise<SqliteWorkflowStore> {
    const { connection, own } = splitConnectionOptions(options);
    const resolved = resolveSqliteWorkflowStoreOptions(own);
    return new SqliteWorkflowStore(await openHub(file, connection), resolved, connection.logger);
  }

  /** Like {@link SqliteWorkflowStore.open}, for `sqlite:` and `file:` URLs and plain paths. */
  static async connect(url: string, options?: SqliteWorkflowStoreOptions): Promise<SqliteWorkflowStore> {
    return SqliteWorkflowStore.open(parseDatabaseUrl(url), options);
  }

  /** Those that this handle makes from now on. */
  dispatchTo(broker: Broker): boolean {
    this.#hub();
    if (!(broker instanceof SqliteBroker) || !broker.sharesDatabase(this.#handle)) return false;
    this.#place = { namespace: this.namespace, brokerNamespace: broker.namespace };
    return true;
  }

  async createRun(run: NewRun): Promise<string> {
    const hub = this.#hub();
    const encoded = encodeRun(run, this.#options);
    await hub.call("createRun", { ...this.#place, run: encoded });
    return encoded.runId;
  }

  async get(runId: string): Promise<RunState | null> {
    const stored = await this.#hub().call("getRun", this.#run(runId));
    return stored === null ? null : toState(stored);
  }

  async listSteps(runId: string): Promise<readonly WorkflowStepEntry[]> {
    return toStepEntries(await this.#hub().call("listSteps", this.#run(runId)));
  }

  async readStep(runId: string, step: string): Promise<JsonValue | undefined> {
    const ref = { ...this.#run(runId), step: checkCheckpointName(step) };
    const text = await this.#hub().call("readStep", ref);
    return text === null ? undefined : parseStored<JsonValue>(text);
  }

  async listRuns(request: ListRunsRequest = {}): Promise<RunPage> {
    const hub = this.#hub();
    const { workflow, status, parentRunId } = request;
    const { limit, offset } = checkPage(request);
    const args = {
      namespace: this.namespace,
      workflow: workflow === undefined ? null : checkName("workflow", workflow),
      status: status === undefined ? null : checkOneOf("status", status, WORKFLOW_STATUSES),
      parentRunId: parentRunId === undefined ? null : checkRunId(parentRunId, "parentRunId"),
    };
    if (limit === 0) return { runs: [] };
    const rows = await hub.call("listRuns", { ...args, limit: limit + 1, offset });
    const runs = rows.slice(0, limit).map(toState);
    return rows.length > limit ? { runs, nextOffset: offset + limit } : { runs };
  }

  async listRunnableRuns(options: Page = {}): Promise<readonly string[]> {
    const rows = await this.#hub().call("listRunnableRuns", { namespace: this.namespace, ...checkPage(options) });
    return rows.map(({ runId }) => runId);
  }

  async claimRun(runId: string, request: ClaimRequest): Promise<ClaimOutcome> {
    const hub = this.#hub();
    const encoded = encodeClaimRequest(request);
    const args = { ...this.#place, runId: checkRunId(runId), request: encoded };
    return toClaimOutcome(await hub.call("claimRun", args), runId, encoded.ownerId);
  }

  async renewRunLease(claim: RunClaim, leaseDuration: Milliseconds): Promise<Date> {
    const args = { ...this.#claim(claim), leaseMs: checkLease(leaseDuration) };
    return new Date(await this.#hub().call("renewRun", args));
  }

  async releaseRun(
    claim: RunClaim,
    options: Readonly<{ delay?: Milliseconds; error?: TaskError }> = {},
  ): Promise<void> {
    const { delay = 0, error } = options;
    const text = error === undefined ? null : encodeTaskError(error, this.#options.maxPayloadBytes);
    const args = { ...this.#claim(claim), delay: Math.ceil(checkDuration("delay", delay)), error: text };
    await this.#hub().call("releaseRun", args);
  }

  async saveStep(
    claim: RunClaim,
    step: StepWrite,
    options: Readonly<{ leaseDuration: Milliseconds; child?: NewRun }>,
  ): Promise<SaveReceipt> {
    const encoded = encodeStep(step, this.#options.maxPayloadBytes);
    const leaseMs = checkLease(options?.leaseDuration);
    const child = options.child === undefined ? null : encodeRun(options.child, this.#options);
    return this.#hub().call("saveStep", { ...this.#claim(claim), step: encoded, leaseMs, child });
  }

  async suspend(claim: RunClaim, waits: readonly NewWait[]): Promise<void> {
    const encoded = encodeWaits(waits, this.#options.maxPayloadBytes);
    await this.#hub().call("suspendRun", { ...this.#claim(claim), waits: encoded });
  }

  async markCompleted(claim: RunClaim, result: JsonValue, step?: StepWrite): Promise<void> {
    const { maxPayloadBytes } = this.#options;
    const text = stringifyJsonWithin(result, "result", maxPayloadBytes);
    const encoded = step === undefined ? null : encodeStep(step, maxPayloadBytes);
    await this.#hub().call("markRunCompleted", { ...this.#claim(claim), result: text, step: encoded });
  }

  async markFailed(claim: RunClaim, error: TaskError): Promise<void> {
    const text = encodeTaskError(error, this.#options.maxPayloadBytes);
    await this.#hub().call("markRunFailed", { ...this.#claim(claim), error: text });
  }

  async cancel(runId: string, options: Readonly<{ reason?: string; compensate?: boolean }> = {}): Promise<boolean> {
    const { reason = DEFAULT_CANCEL_REASON, compensate = false } = options;
    return this.#hub().call("cancelRun", {
      ...this.#place,
      runId: checkRunId(runId),
      reason: checkReason(reason),
      compensate: checkBoolean("compensate", compensate),
    });
  }

  async rewindToStep(runId: string, step: string): Promise<boolean> {
    const args = { ...this.#place, runId: checkRunId(runId), step: checkCheckpointName(step) };
    return this.#hub().call("rewindRun", args);
  }

  async resumeRun(runId: string): Promise<boolean> {
    return this.#hub().call("resumeRun", { ...this.#place, runId: checkRunId(runId) });
  }

  async emit(topic: string, payload: JsonValue, options: EmitOptions = {}): Promise<EmitReceipt> {
    const hub = this.#hub();
    const { eventId, ttl = this.#options.eventTtl } = options;
    const resolutions = await hub.call("emitEvent", {
      ...this.#place,
      topic: checkName("topic", topic),
      payload: encodePayload(payload, this.#options.maxPayloadBytes),
      eventId: eventId === undefined ? null : checkShortText("eventId", eventId, 200),
      ttl: Math.ceil(checkDuration("ttl", ttl)),
    });
    if (resolutions === null) return { outcome: "duplicate", resolutions: [] };
    return { outcome: "emitted", resolutions: resolutions.map((resolution) => ({ ...resolution, topic })) };
  }

  async listWatchers(topic: string, options: Page = {}): Promise<readonly WorkflowWatcher[]> {
    const args = { namespace: this.namespace, topic: checkName("topic", topic), ...checkPage(options) };
    return (await this.#hub().call("listWatchers", args)).map((row) => toWatcher(row, topic));
  }

  async runsWaitingOn(topic: string, options: Readonly<{ limit?: number }> = {}): Promise<readonly string[]> {
    const args = { namespace: this.namespace, topic: checkName("topic", topic), limit: checkPage(options).limit };
    return (await this.#hub().call("listWaitingRuns", args)).map(({ runId }) => runId);
  }

  async recordTaskEnd(end: TaskEnd): Promise<void> {
    const encoded = encodeTaskEnd(end, this.#options.maxPayloadBytes);
    await this.#hub().call("recordTaskEnd", { ...this.#place, end: encoded });
  }

  async recoverRuns(
    options: Readonly<{ grace: Milliseconds; maxRecoveries: number; limit: number }>,
  ): Promise<readonly string[]> {
    const grace = checkDuration("grace", options?.grace);
    const maxRecoveries = checkInteger("maxRecoveries", options.maxRecoveries, { min: 0, max: 1_000_000 });
    const limit = checkLimit(options.limit);
    return this.#hub().call("recoverRuns", { ...this.#place, grace, maxRecoveries, limit });
  }

  async pendingContinuations(limit: number): Promise<readonly Continuation[]> {
    const args = { namespace: this.namespace, limit: checkLimit(limit) };
    return (await this.#hub().call("pendingContinuations", args)).map(toContinuation);
  }

  async confirmContinuations(continuations: readonly Continuation[]): Promise<void> {
    checkThat("continuations", continuations, Array.isArray(continuations), "an array");
    const refs = continuations.map(({ runId, number }: Continuation) => ({
      runId: checkRunId(runId),
      number: checkInteger("number", number, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    }));
    await this.#hub().call("confirmContinuations", { namespace: this.namespace, refs });
  }

  async prune(): Promise<number> {
    const hub = this.#hub();
    let pruned = 0;
    for (let isMore = true; isMore && this.#closing === undefined;) {
      const part = await hub.call("pruneWorkflows", { namespace: this.namespace });
      pruned += part.runs;
      isMore = part.isMore;
    }
    return pruned;
  }

  watch(runId: string): AsyncIterableIterator<RunState> {
    const hub = this.#hub();
    const ref = this.#run(runId);
    const stream = watchHub<StoredRunState, RunState>({
      hub,
      logger: this.#logger,
      begin: async (subscription) => {
        const present = await hub.call("watchRun", { ...ref, subscription });
        return present === null ? [] : [present];
      },
      read: toState,
      isLast: ({ status }) => hasRunEnded(status),
      onEnd: (ended) => this.#watches.delete(ended),
    });
    this.#watches.add(stream);
    return stream;
  }

  /** Where the database is, who owns it and what it takes. Throws `ClosedError` once the store is closed. */
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
    if (this.#closing !== undefined) throw new ClosedError("The workflow store");
    return this.#handle.hub;
  }

  #run(runId: string): Readonly<{ namespace: string; runId: string }> {
    return { namespace: this.namespace, runId: checkRunId(runId) };
  }

  #claim(claim: RunClaim): WorkflowPlace & Readonly<{ claim: RunClaim }> {
    return { ...this.#place, claim: checkClaim(claim) };
  }
}

function checkPage(page: Page): Readonly<{ limit: number; offset: number }> {
  return { limit: checkLimit(page.limit ?? 50), offset: checkOffset(page.offset ?? 0) };
}
