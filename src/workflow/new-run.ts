import type { NewRun, RunState, WorkflowCancellationPolicy } from "../contracts/workflow-store.ts";
import { checkDuration } from "../core/duration.ts";
import { stringifyObjectWithin } from "../core/json.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "../core/envelope.ts";
import { checkName } from "../core/names.ts";
import { checkBoolean, mergeOptions } from "../core/options.ts";
import { InvalidNameError, InvalidOptionError } from "../errors.ts";
import { checkKnown } from "../runtime/check-ports.ts";
import { UnknownWorkflowError } from "../error-workflow.ts";
import type { ChildOptions } from "./workflow-definition.ts";
import type { StartOptions } from "./workflow-handle.ts";
import { checkVersion, type WorkflowRef } from "./workflow-refs.ts";
import type { ResolvedWorkflowRuntimeOptions } from "./workflow-runtime-options.ts";

/** Ids of tasks and messages of a run are made of its own. */
const MAX_RUN_ID = 100;

const START_DEFAULTS: Readonly<Record<keyof StartOptions, unknown>> = {
  params: {},
  runId: undefined,
  parentRunId: undefined,
  ttl: undefined,
  cancellationPolicy: undefined,
  metadata: undefined,
};
const CHILD_DEFAULTS: Readonly<Record<keyof ChildOptions, unknown>> = {
  ttl: undefined,
  cancellationPolicy: undefined,
  endsWithParent: true,
  timeout: undefined,
};
const POLICY_NAMES: ReadonlySet<string> = new Set<keyof WorkflowCancellationPolicy>([
  "maxRunDuration",
  "maxSuspendDuration",
]);

/** Checks everything about a run that is to be started, and makes it. */
export function newRunOf(
  workflow: string | WorkflowRef<never>,
  given: StartOptions<never>,
  options: ResolvedWorkflowRuntimeOptions,
): NewRun {
  const { name, version } = versionOf(workflow, options);
  const start = mergeOptions(START_DEFAULTS, given as Partial<typeof START_DEFAULTS>) as StartOptions;
  const { runId, parentRunId, ttl, cancellationPolicy, metadata, params } = start;
  stringifyObjectWithin(params, "params", DEFAULT_MAX_PAYLOAD_BYTES);
  if (metadata !== undefined) stringifyObjectWithin(metadata, "metadata", DEFAULT_MAX_PAYLOAD_BYTES);
  if (ttl !== undefined) checkDuration("ttl", ttl);
  const { queue, continuationQueue, executionQueue } = options;
  return {
    runId: checkRunId(runId ?? options.ids()),
    workflow: name,
    version,
    params: params ?? {},
    queues: { orchestrationQueue: queue, continuationQueue, executionQueue },
    ...(metadata === undefined ? {} : { metadata }),
    ...(parentRunId === undefined ? {} : { parentRunId: checkRunId(parentRunId) }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(cancellationPolicy === undefined ? {} : { cancellationPolicy: checkPolicy(cancellationPolicy) }),
  };
}

/** The run of a child, on the queues of its parent. */
export function newChildOf(
  parent: RunState,
  workflow: WorkflowRef<never>,
  params: unknown,
  given: ChildOptions,
  options: ResolvedWorkflowRuntimeOptions,
): NewRun {
  const merged = mergeOptions(CHILD_DEFAULTS, given as Partial<typeof CHILD_DEFAULTS>) as Required<ChildOptions>;
  const { ttl, cancellationPolicy, endsWithParent } = merged;
  const start = { params, parentRunId: parent.runId, ttl, cancellationPolicy };
  const run = newRunOf(workflow, start as never, options);
  return { ...run, queues: parent.queues, endsWithParent: checkBoolean("endsWithParent", endsWithParent) };
}

/** Returns `value` when it can name a run: a name of at most 100 characters without a slash. */
export function checkRunId(value: unknown): string {
  const runId = checkName("run id", value);
  if (runId.includes("/")) throw new InvalidNameError("run id", value, "may not hold a slash");
  if (runId.length > MAX_RUN_ID) {
    throw new InvalidNameError("run id", value, `must not be longer than ${MAX_RUN_ID} characters`);
  }
  return runId;
}

/** A run may be started by whoever does not have its code, as long as the version is said. */
function versionOf(
  workflow: string | WorkflowRef<never>,
  { registry }: ResolvedWorkflowRuntimeOptions,
): Readonly<{ name: string; version: number }> {
  const ref: WorkflowRef<never> = typeof workflow === "string" ? { name: workflow } : workflow;
  if (typeof ref !== "object" || ref === null) {
    throw new InvalidOptionError("workflow", workflow, "the name of a workflow, or a reference to one");
  }
  const name = checkName("workflow", ref.name);
  const version = ref.version ?? registry.resolve(name)?.version;
  if (version === undefined) throw new UnknownWorkflowError(name);
  return { name, version: checkVersion(version) };
}

function checkPolicy(policy: WorkflowCancellationPolicy): WorkflowCancellationPolicy {
  checkKnown("cancellationPolicy", policy, POLICY_NAMES);
  const { maxRunDuration, maxSuspendDuration } = policy;
  const checked = (name: string, value: number | undefined): object =>
    value === undefined ? {} : { [name]: checkDuration(`cancellationPolicy.${name}`, value, { min: 1 }) };
  return { ...checked("maxRunDuration", maxRunDuration), ...checked("maxSuspendDuration", maxSuspendDuration) };
}
