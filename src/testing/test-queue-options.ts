import type { Broker } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Randomness } from "../contracts/identity.ts";
import type { Logger } from "../contracts/logger.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
import type { RevokeStore } from "../contracts/revoke-store.ts";
import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import type { Milliseconds } from "../core/duration.ts";
import { checkDuration } from "../core/duration.ts";
import { checkDate, checkInteger, checkOneOf, mergeOptions } from "../core/options.ts";
import { resolveSubscription } from "../core/routing.ts";
import { resolveTaskOptions } from "../core/task-options.ts";
import { InvalidOptionError } from "../errors.ts";
import { MAX_CONCURRENCY } from "../runtime/worker-options.ts";

/** Where a queue under test keeps what it has; both are gone when it is closed. */
export type TestStore = "sqlite" | "memory";

/** How a queue under test is opened. */
export interface TestQueueOptions {
  /** The tasks of its producer and of its worker. */
  readonly tasks: readonly AnyTaskHandler[];
  /** `sqlite` is the real engine, in memory; `memory` is plain objects. @defaultValue `"sqlite"` */
  readonly store?: TestStore;
  /**
   * `manual`: tasks run inside of `drain`, `result` and `run` only, so that a test sees what is queued. `live`: they run
   * as soon as they are ready, for code under test that waits for them itself.
   *
   * @defaultValue `"manual"`
   */
  readonly mode?: "manual" | "live";
  /** Queues to work on beside `default` and those that `tasks` name. @defaultValue none */
  readonly queues?: readonly string[];
  /** Handlers that run at once. With 1, tasks run in a fixed order. @defaultValue `1` */
  readonly concurrency?: number;
  /** What the clock says first. @defaultValue 2026-01-01, UTC */
  readonly startAt?: Date;
  /** Of the randomness, which backoff with jitter draws from. @defaultValue `1` */
  readonly seed?: number;
  /**
   * Real time without any task beginning or ending after which `drain` gives up with `NotDrainedError`. Shorter than
   * the usual limit of a test, so that the error names the task and not the test.
   *
   * @defaultValue `4_000`
   */
  readonly patience?: Milliseconds;
  /** Runs within one `drain` after which it gives up with `NotDrainedError`. @defaultValue `10_000` */
  readonly maxRuns?: number;
}

/** Broker, backend and revoke store of one test. */
export interface TestStores {
  readonly broker: Broker;
  readonly backend: ResultBackend;
  readonly revokeStore: RevokeStore;
}

/** What the stores of a test are opened with. */
export interface TestStorePorts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

/** Opens new and empty stores of this kind. */
export type OpenTestStores = (store: TestStore, ports: TestStorePorts) => Promise<TestStores>;

/** {@link TestQueueOptions} with every default filled in; `queues` are all that are worked on. */
export type ResolvedTestQueueOptions = Readonly<Required<TestQueueOptions>>;

const DEFAULTS: ResolvedTestQueueOptions = {
  tasks: [],
  store: "sqlite",
  mode: "manual",
  queues: [],
  concurrency: 1,
  startAt: new Date(Date.UTC(2026, 0, 1)),
  seed: 1,
  patience: 4_000,
  maxRuns: 10_000,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveTestQueueOptions(options: TestQueueOptions): ResolvedTestQueueOptions {
  const merged = mergeOptions(DEFAULTS, options);
  const { tasks } = merged;
  if (!Array.isArray(tasks)) throw new InvalidOptionError("tasks", tasks, "an array of tasks");
  checkOneOf("store", merged.store, ["sqlite", "memory"]);
  checkOneOf("mode", merged.mode, ["manual", "live"]);
  checkInteger("concurrency", merged.concurrency, { min: 1, max: MAX_CONCURRENCY });
  checkInteger("seed", merged.seed, { min: 0, max: 2 ** 32 - 1 });
  // Machines' timers count in 31 bits.
  checkDuration("patience", merged.patience, { min: 1, max: 2 ** 31 - 1 });
  checkInteger("maxRuns", merged.maxRuns, { min: 1, max: Number.MAX_SAFE_INTEGER });
  const named = (tasks as readonly AnyTaskHandler[]).map((task) => resolveTaskOptions(task?.options).queue);
  const { queues } = resolveSubscription({ queues: ["default", ...named, ...merged.queues] });
  return Object.freeze({ ...merged, startAt: checkDate("startAt", merged.startAt), queues });
}
