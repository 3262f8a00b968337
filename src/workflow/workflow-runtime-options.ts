import type { Broker } from "../contracts/broker.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
import type { WorkflowStore } from "../contracts/workflow-store.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { checkName } from "../core/names.ts";
import { checkInteger, checkOneOf } from "../core/options.ts";
import { type ResolvedRetryPolicy, resolveRetryPolicy, type TaskRetryPolicy } from "../core/retry-policy.ts";
import { checkKnown, checkPort, resolvePorts, type RuntimePorts } from "../runtime/check-ports.ts";
import type { Stem } from "../runtime/stem.ts";
import { DEFAULT_STEP_POLICY } from "./step-retries.ts";
import { type HasDefinition, WorkflowRegistry } from "./workflow-registry.ts";

/** Tuning for a `WorkflowRuntime`. Stem, broker, backend and store stay the caller's: the runtime never closes them. */
export interface WorkflowRuntimeOptions extends RuntimePorts {
  /** Enqueues the tasks of steps. */
  readonly stem: Pick<Stem, "enqueueAll">;
  /** Carries the messages of runs; the broker of the worker that runs them. */
  readonly broker: Broker;
  /** Where results of tasks are found that steps wait for. */
  readonly backend?: ResultBackend;
  readonly store: WorkflowStore;
  /** The workflows that can be started and run here. */
  readonly workflows?: readonly HasDefinition[];
  /**
   * Queue of the first message of a run.
   *
   * @defaultValue `"workflow"`
   */
  readonly queue?: string;
  /** Queue of the later messages of a run. @defaultValue `queue` */
  readonly continuationQueue?: string;
  /**
   * Queue of tasks that steps enqueue without naming one.
   *
   * @defaultValue `"default"`
   */
  readonly executionQueue?: string;
  /**
   * How long a run is held without a sign of life. It is renewed at a third of it, and with each step.
   *
   * @defaultValue `30_000`
   */
  readonly runLeaseDuration?: Milliseconds;
  /** For steps without a policy of their own. @defaultValue 5 retries, after 1 s, doubled up to a minute, with jitter */
  readonly stepRetryPolicy?: TaskRetryPolicy;
  /**
   * How often continuations that wait to be published are looked for, and runs whose message was lost.
   *
   * @defaultValue `10_000`
   */
  readonly recoveryInterval?: Milliseconds;
  /**
   * For how long the message of a run has to be due before it is taken for lost.
   *
   * @defaultValue `60_000`
   */
  readonly recoveryGrace?: Milliseconds;
  /**
   * What becomes of a run whose workflow, or whose version of it, is not registered here: `"requeue"` has it tried again
   * after a while, by a worker that may know it; `"fail"` ends it.
   *
   * @defaultValue `"requeue"`
   */
  readonly unregisteredWorkflow?: "requeue" | "fail";
  /**
   * How often the message of a run is made anew without a step saved in between; after that the run fails.
   *
   * @defaultValue `10`
   */
  readonly maxRecoveries?: number;
  /** Shown as the owner of runs. @defaultValue `workflow-runtime-` and a new id */
  readonly runtimeId?: string;
}

const DEFAULTS = {
  queue: "workflow",
  executionQueue: "default",
  runLeaseDuration: 30_000,
  recoveryInterval: 10_000,
  recoveryGrace: 60_000,
  unregisteredWorkflow: "requeue",
  maxRecoveries: 10,
} as const satisfies Partial<WorkflowRuntimeOptions>;

const DERIVED = [
  "stem",
  "broker",
  "backend",
  "store",
  "workflows",
  "continuationQueue",
  "stepRetryPolicy",
  "runtimeId",
  "clock",
  "ids",
  "randomness",
  "logger",
] as const satisfies readonly Exclude<keyof WorkflowRuntimeOptions, keyof typeof DEFAULTS>[];
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(DEFAULTS), ...DERIVED]);

/** {@link WorkflowRuntimeOptions} with every default filled in. */
export interface ResolvedWorkflowRuntimeOptions extends Required<RuntimePorts> {
  readonly stem: Pick<Stem, "enqueueAll">;
  readonly broker: Broker;
  readonly backend: ResultBackend | undefined;
  readonly store: WorkflowStore;
  readonly registry: WorkflowRegistry;
  readonly queue: string;
  readonly continuationQueue: string;
  readonly executionQueue: string;
  readonly runLeaseDuration: Milliseconds;
  readonly stepRetryPolicy: ResolvedRetryPolicy;
  readonly recoveryInterval: Milliseconds;
  readonly recoveryGrace: Milliseconds;
  readonly unregisteredWorkflow: "requeue" | "fail";
  readonly maxRecoveries: number;
  readonly runtimeId: string;
}

/** Fills in defaults and checks every option. */
export function resolveRuntimeOptions(given: WorkflowRuntimeOptions): ResolvedWorkflowRuntimeOptions {
  checkKnown("", given, KNOWN);
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const merged = { ...DEFAULTS, ...stated } as typeof DEFAULTS & WorkflowRuntimeOptions;
  const { backend, stepRetryPolicy } = merged;
  const ports = resolvePorts(given);
  if (backend !== undefined) checkPort("backend", backend, ["get"]);
  const queue = checkName("queue", merged.queue);
  return Object.freeze({
    ...ports,
    stem: checkPort("stem", merged.stem, ["enqueueAll"]),
    broker: checkPort("broker", merged.broker, ["publishAll"]),
    backend,
    store: checkPort("store", merged.store, ["createRun", "claimRun", "saveStep", "suspend"]),
    registry: new WorkflowRegistry(merged.workflows),
    queue,
    continuationQueue: checkName("queue", merged.continuationQueue ?? queue),
    executionQueue: checkName("queue", merged.executionQueue),
    runLeaseDuration: checkDuration("runLeaseDuration", merged.runLeaseDuration, { min: 100 }),
    stepRetryPolicy: stepRetryPolicy === undefined ? DEFAULT_STEP_POLICY : resolveRetryPolicy(stepRetryPolicy),
    recoveryInterval: checkDuration("recoveryInterval", merged.recoveryInterval, { min: 1 }),
    recoveryGrace: checkDuration("recoveryGrace", merged.recoveryGrace),
    unregisteredWorkflow: checkOneOf("unregisteredWorkflow", merged.unregisteredWorkflow, ["requeue", "fail"]),
    maxRecoveries: checkInteger("maxRecoveries", merged.maxRecoveries, { min: 1, max: 1_000_000 }),
    runtimeId: checkName("runtime id", merged.runtimeId ?? `workflow-runtime-${ports.ids()}`),
  });
}
