import type { Broker } from "../contracts/broker.ts";
import type { ResultBackend, TaskStatus } from "../contracts/result-backend.ts";
import type { EnqueueOptions, EnqueueRequest, TaskEnqueuer } from "../contracts/task-enqueuer.ts";
import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { checkName } from "../core/names.ts";
import { ClosedError, MissingBackendError } from "../errors.ts";
import { checkKnown, checkPort, resolvePorts, type RuntimePorts } from "./check-ports.ts";
import { Enqueuer } from "./enqueuer.ts";
import { createTaskResult, type TaskResult } from "./task-result.ts";
import { registryFrom, type TaskRegistry } from "./task-registry.ts";
import { waitForTerminalStatus } from "./wait-for-status.ts";

/** What a {@link Stem} works with. Broker and backend stay the caller's: `Stem` never closes them. */
export interface StemOptions extends RuntimePorts {
  readonly broker: Broker;
  /** Needed for statuses and results; without it, enqueues write none. */
  readonly backend?: ResultBackend;
  /** Added to `registry`, or to a new one. With tasks or a registry, only registered names can be enqueued. */
  readonly tasks?: readonly AnyTaskHandler[];
  readonly registry?: TaskRegistry;
}

/** How long to wait for a task. */
export interface WaitOptions {
  /** Without it, the wait ends with the task only. */
  readonly timeout?: Milliseconds;
  /**
   * Also reads the status this often, for a backend that cannot see the writes of other processes.
   *
   * @defaultValue never; the backend tells
   */
  readonly pollInterval?: Milliseconds;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof StemOptions>([
  "broker",
  "backend",
  "tasks",
  "registry",
  "clock",
  "ids",
  "randomness",
  "logger",
]);
const WAIT_OPTION_NAMES: ReadonlySet<string> = new Set<keyof WaitOptions>(["timeout", "pollInterval"]);

/** The producers' door: enqueues tasks by name and waits for their results. */
export class Stem implements TaskEnqueuer {
  /** The handlers whose names and options this producer knows; `undefined` when any name goes. */
  readonly registry: TaskRegistry | undefined;
  readonly #backend: ResultBackend | undefined;
  readonly #ports: Required<RuntimePorts>;
  readonly #enqueuer: Enqueuer;
  readonly #closing = new AbortController();

  constructor(options: StemOptions) {
    checkKnown("", options, OPTION_NAMES);
    const broker = checkPort("broker", options.broker, ["publish", "publishAll"]);
    const { backend } = options;
    if (backend !== undefined) checkPort("backend", backend, ["set", "get", "watch", "expire"]);
    this.registry = registryFrom(options.tasks, options.registry);
    this.#backend = backend;
    this.#ports = resolvePorts(options);
    this.#enqueuer = new Enqueuer({
      ...this.#ports,
      broker,
      backend,
      registry: this.registry,
      registeredOnly: this.registry !== undefined,
      closing: this.#closing.signal,
    });
  }

  /**
   * Stores a task and resolves to its id. Once tasks are registered, an unknown name is an `UnknownTaskError`; a
   * producer without any may enqueue every name, with default options.
   *
   * With a backend, the status `queued` is written before the message, so that a fast worker's status always stands.
   * Bad input throws a typed error before either is written. When publishing fails, `queued` is taken back, unless
   * the error's `outcome` is `"unknown"`; then enqueue again with the same `enqueueOptions.taskId`.
   */
  async enqueue(name: string, options?: EnqueueOptions): Promise<string> {
    this.#checkOpen();
    return this.#enqueuer.enqueue(name, options);
  }

  /** Stores all tasks or, when one is refused, none. Resolves to their ids in the given order. */
  async enqueueAll(requests: readonly EnqueueRequest[]): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#enqueuer.enqueueAll(requests);
  }

  /**
   * Waits until the task has ended, also when it is not known yet. At the timeout the result says `timedOut`, or is
   * null when the task was never seen. Throws `MissingBackendError` without a backend, and `ClosedError` when this
   * object or the backend is closed meanwhile.
   */
  waitForTask<Result = unknown>(
    taskId: string,
    options?: WaitOptions & { readonly timeout?: undefined },
  ): Promise<TaskResult<Result>>;
  waitForTask<Result = unknown>(taskId: string, options: WaitOptions): Promise<TaskResult<Result> | null>;
  async waitForTask<Result>(taskId: string, options: WaitOptions = {}): Promise<TaskResult<Result> | null> {
    this.#checkOpen();
    const backend = this.#backendFor("waitForTask");
    checkName("task id", taskId);
    checkKnown("", options, WAIT_OPTION_NAMES);
    const { timeout, pollInterval } = options;
    if (timeout !== undefined) checkDuration("timeout", timeout);
    if (pollInterval !== undefined) checkDuration("pollInterval", pollInterval, { min: 1 });
    const wait = { clock: this.#ports.clock, timeout, pollInterval, signal: this.#closing.signal };
    const { status, timedOut } = await waitForTerminalStatus(backend, taskId, wait);
    return status === null ? null : createTaskResult<Result>(status, timedOut);
  }

  /** The task's present status, or null. Throws `MissingBackendError` without a backend. */
  async getTask(taskId: string): Promise<TaskStatus | null> {
    this.#checkOpen();
    return this.#backendFor("getTask").get(checkName("task id", taskId));
  }

  /** Refuses further calls and ends waits with `ClosedError`. Broker and backend stay open. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError("The Stem"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    this.#closing.signal.throwIfAborted();
  }

  #backendFor(call: string): ResultBackend {
    if (this.#backend === undefined) throw new MissingBackendError(call);
    return this.#backend;
  }
}
