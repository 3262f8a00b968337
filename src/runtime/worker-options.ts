import type { Broker } from "../contracts/broker.ts";
import type { IsolateHost } from "../contracts/isolate-host.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
import type { RevokeStore } from "../contracts/revoke-store.ts";
import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { checkName } from "../core/names.ts";
import { checkBoolean, checkInteger, checkOneOf, mergeOptions } from "../core/options.ts";
import { exponentialJitterRetryStrategy, type RetryStrategy } from "../core/retry-strategy.ts";
import { type ResolvedSubscription, resolveSubscription, type RoutingSubscription } from "../core/routing.ts";
import { InvalidOptionError, UnsupportedEnvironmentError } from "../errors.ts";
import { currentIsolateHost } from "../ports/isolates.ts";
import { checkKnown, checkPort, resolvePorts, type RuntimePorts } from "./check-ports.ts";
import { processSignals, type SignalSource } from "./os-signals.ts";
import { registryFrom, type TaskRegistry } from "./task-registry.ts";

/** Most handlers one worker may run at once, and most messages it may hold. */
export const MAX_CONCURRENCY = 10_000;

/** How a worker stops. */
export interface WorkerLifecycle {
  /**
   * Stops the worker on signals of the operating system: SIGTERM warm, SIGINT soft, SIGQUIT hard, and any second
   * signal hard. Off by default, since the signals of a process belong to its program.
   *
   * @defaultValue `false`
   */
  readonly installSignalHandlers?: boolean;
  /**
   * How long a soft shutdown lets tasks end after their signal fired.
   *
   * @defaultValue `30_000`
   */
  readonly softGracePeriod?: Milliseconds;
  /**
   * How long a hard shutdown waits for messages to be given back; what is left then returns when its lease ends.
   *
   * @defaultValue `10_000`
   */
  readonly forceShutdownAfter?: Milliseconds;
  /** Runs after which the thread of isolated tasks is replaced. @defaultValue no limit */
  readonly maxTasksPerIsolate?: number;
  /** Where signals come from. @defaultValue the global `process`, where there is one */
  readonly signals?: SignalSource;
}

/** Tuning for a `Worker`. Broker, backend and revoke store stay the caller's: the worker never closes them. */
export interface WorkerOptions extends RuntimePorts {
  readonly broker: Broker;
  /** Stores statuses, results and heartbeats. Without it, results are dropped. */
  readonly backend?: ResultBackend;
  /** The handlers; added to `registry` when both are given. One of the two is needed. */
  readonly tasks?: readonly AnyTaskHandler[];
  readonly registry?: TaskRegistry;
  /**
   * Asked before each start, and watched during runs. Entries are looked up in the broker's namespace. It also keeps
   * which queues are paused, in a namespace beside that one.
   */
  readonly revokeStore?: RevokeStore;
  /**
   * The one queue to work on.
   *
   * @defaultValue `"default"`
   */
  readonly queue?: string;
  /** Several queues, or broadcast channels; instead of `queue`. */
  readonly subscription?: RoutingSubscription;
  /** The worker's id, in leases, statuses and heartbeats. @defaultValue `stem-worker-` and a random part */
  readonly consumerName?: string;
  /**
   * Most handlers that run at once. A handler that was left behind by its hard time limit no longer counts.
   *
   * @defaultValue the number of processors where the platform tells it, else `4`
   */
  readonly concurrency?: number;
  /**
   * Messages held for each handler that may run.
   *
   * @defaultValue `2`
   */
  readonly prefetchMultiplier?: number;
  /** Most messages held at once, running ones included. @defaultValue `concurrency * prefetchMultiplier` */
  readonly prefetch?: number;
  /**
   * Time between two `heartbeat` events of a running task.
   *
   * @defaultValue `10_000`
   */
  readonly heartbeatInterval?: Milliseconds;
  /** Time between two heartbeats of the worker in the backend. @defaultValue `heartbeatInterval` */
  readonly workerHeartbeatInterval?: Milliseconds;
  /**
   * Namespace in the worker's heartbeats.
   *
   * @defaultValue `"stem"`
   */
  readonly heartbeatNamespace?: string;
  /** Delay before a retry of a task without a retry policy. @defaultValue `exponentialJitterRetryStrategy()` */
  readonly retryStrategy?: RetryStrategy;
  readonly lifecycle?: WorkerLifecycle;
  /**
   * What becomes of a message no handler is registered for: `"dead-letter"` also fails the task, so that nobody waits
   * for it; `"requeue"` gives it back after a second, for a worker that knows it.
   *
   * @defaultValue `"dead-letter"`
   */
  readonly unregisteredTask?: "dead-letter" | "requeue";
  /**
   * Whether the worker listens to a `WorkerControl`, on channels named after `heartbeatNamespace` and its id. Without
   * effect on a broker that has no broadcasts.
   *
   * @defaultValue `true`
   */
  readonly control?: boolean;
  /**
   * How often running tasks are looked up in the revoke store, beside being told. Pauses are a tenth as often.
   *
   * @defaultValue `1_000`
   */
  readonly revocationPollInterval?: Milliseconds;
  /** Starts the threads of isolated tasks, at most `concurrency` of them. @defaultValue the platform's */
  readonly isolates?: IsolateHost;
}

const LIFECYCLE_DEFAULTS = { installSignalHandlers: false, softGracePeriod: 30_000, forceShutdownAfter: 10_000 };

const DEFAULTS = {
  queue: "default",
  prefetchMultiplier: 2,
  heartbeatInterval: 10_000,
  heartbeatNamespace: "stem",
  unregisteredTask: "dead-letter",
  control: true,
  revocationPollInterval: 1_000,
} as const satisfies Partial<WorkerOptions>;

const DERIVED = [
  "broker",
  "backend",
  "tasks",
  "registry",
  "revokeStore",
  "subscription",
  "consumerName",
  "concurrency",
  "prefetch",
  "workerHeartbeatInterval",
  "retryStrategy",
  "lifecycle",
  "isolates",
  "clock",
  "ids",
  "randomness",
  "logger",
] as const satisfies readonly Exclude<keyof WorkerOptions, keyof typeof DEFAULTS>[];
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(DEFAULTS), ...DERIVED]);

/** {@link WorkerOptions} with every default filled in. */
export interface ResolvedWorkerOptions extends Required<RuntimePorts> {
  readonly broker: Broker;
  readonly backend: ResultBackend | undefined;
  readonly registry: TaskRegistry;
  readonly revokeStore: RevokeStore | undefined;
  readonly subscription: ResolvedSubscription;
  readonly consumerName: string;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly heartbeatInterval: Milliseconds;
  readonly workerHeartbeatInterval: Milliseconds;
  readonly heartbeatNamespace: string;
  readonly retryStrategy: RetryStrategy;
  readonly lifecycle: Required<Omit<WorkerLifecycle, "signals" | "maxTasksPerIsolate">> & {
    readonly signals: SignalSource | undefined;
    readonly maxTasksPerIsolate: number | undefined;
  };
  readonly isolates: IsolateHost | undefined;
  readonly unregisteredTask: "dead-letter" | "requeue";
  readonly control: boolean;
  readonly revocationPollInterval: Milliseconds;
}

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveWorkerOptions(given: WorkerOptions): ResolvedWorkerOptions {
  checkKnown("", given, KNOWN);
  const ports = resolvePorts(given);
  const { backend, revokeStore, retryStrategy = exponentialJitterRetryStrategy() } = given;
  const { prefetchMultiplier = DEFAULTS.prefetchMultiplier, heartbeatInterval = DEFAULTS.heartbeatInterval } = given;
  const { concurrency = processorCount(), consumerName = randomName(ports) } = given;
  checkInteger("concurrency", concurrency, { min: 1, max: MAX_CONCURRENCY });
  checkInteger("prefetchMultiplier", prefetchMultiplier, { min: 1, max: 1_000 });
  const { prefetch = Math.min(concurrency * prefetchMultiplier, MAX_CONCURRENCY) } = given;
  checkDuration("heartbeatInterval", heartbeatInterval, { min: 1 });
  const { workerHeartbeatInterval = heartbeatInterval } = given;
  const { revocationPollInterval = DEFAULTS.revocationPollInterval } = given;
  const { heartbeatNamespace = DEFAULTS.heartbeatNamespace, unregisteredTask = DEFAULTS.unregisteredTask } = given;
  if (backend !== undefined) checkPort("backend", backend, ["set", "setWorkerHeartbeat", "removeWorkerHeartbeat"]);
  if (revokeStore !== undefined) checkPort("revokeStore", revokeStore, ["get", "list", "upsertAll", "watch"]);
  const registry = requiredRegistry(given);
  return Object.freeze({
    ...ports,
    broker: checkPort("broker", given.broker, ["consume", "ack", "nack", "retry", "deadLetter", "settlerFor"]),
    backend,
    registry,
    revokeStore,
    subscription: subscriptionOf(given),
    consumerName: checkName("consumer", consumerName),
    concurrency,
    prefetch: checkInteger("prefetch", prefetch, { min: 1, max: MAX_CONCURRENCY }),
    heartbeatInterval,
    workerHeartbeatInterval: checkDuration("workerHeartbeatInterval", workerHeartbeatInterval, { min: 1 }),
    heartbeatNamespace: checkName("namespace", heartbeatNamespace),
    retryStrategy: checkPort("retryStrategy", retryStrategy, ["nextDelay"]),
    lifecycle: resolveLifecycle(given.lifecycle),
    isolates: isolatesFor(registry, given.isolates),
    unregisteredTask: checkOneOf("unregisteredTask", unregisteredTask, ["dead-letter", "requeue"]),
    control: checkBoolean("control", given.control === undefined ? DEFAULTS.control : given.control),
    revocationPollInterval: checkDuration("revocationPollInterval", revocationPollInterval, { min: 1 }),
  });
}

function requiredRegistry({ tasks, registry }: WorkerOptions): TaskRegistry {
  const resolved = registryFrom(tasks, registry);
  if (resolved === undefined) throw new InvalidOptionError("tasks", tasks, "given, or a registry in its place");
  return resolved;
}

function subscriptionOf({ queue, subscription }: WorkerOptions): ResolvedSubscription {
  if (subscription === undefined)
    return resolveSubscription({ queues: [queue === undefined ? DEFAULTS.queue : queue] });
  if (queue !== undefined) throw new InvalidOptionError("queue", queue, "left out when a subscription is given");
  return resolveSubscription(subscription);
}

function isolatesFor(registry: TaskRegistry, given: IsolateHost | undefined): IsolateHost | undefined {
  if (given !== undefined) return checkPort("isolates", given, ["spawn"]);
  const host = currentIsolateHost();
  const isolated = registry.handlers.find((handler) => handler.isolated !== undefined);
  if (host === undefined && isolated !== undefined) {
    throw new UnsupportedEnvironmentError(`threads, which the isolated task "${isolated.name}" needs`);
  }
  return host;
}

function resolveLifecycle(given: WorkerLifecycle | undefined): ResolvedWorkerOptions["lifecycle"] {
  const defaults: ResolvedWorkerOptions["lifecycle"] = {
    ...LIFECYCLE_DEFAULTS,
    maxTasksPerIsolate: undefined,
    signals: processSignals(),
  };
  const merged = mergeOptions(defaults, given as Partial<typeof defaults> | undefined, "lifecycle");
  checkBoolean("lifecycle.installSignalHandlers", merged.installSignalHandlers);
  checkDuration("lifecycle.softGracePeriod", merged.softGracePeriod);
  checkDuration("lifecycle.forceShutdownAfter", merged.forceShutdownAfter);
  if (merged.maxTasksPerIsolate !== undefined) {
    checkInteger("lifecycle.maxTasksPerIsolate", merged.maxTasksPerIsolate, { min: 1, max: Number.MAX_SAFE_INTEGER });
  }
  if (merged.signals !== undefined) checkPort("lifecycle.signals", merged.signals, ["on", "off"]);
  return Object.freeze(merged);
}

/** Deno, Bun, browsers and newer Node releases tell; what else there is, is not for a platform-free room to know. */
function processorCount(): number {
  const count: unknown = (globalThis as { navigator?: { hardwareConcurrency?: unknown } }).navigator
    ?.hardwareConcurrency;
  return typeof count === "number" && count >= 1 ? Math.min(Math.floor(count), MAX_CONCURRENCY) : 4;
}

function randomName({ randomness }: Required<RuntimePorts>): string {
  const bits = Math.floor(randomness.number() * 2 ** 48);
  return `stem-worker-${bits.toString(16).padStart(12, "0")}`;
}
