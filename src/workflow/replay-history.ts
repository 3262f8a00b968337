import type { TaskError } from "../contracts/result-backend.ts";
import type { RunState, WorkflowStepEntry, WorkflowStore } from "../contracts/workflow-store.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { InvalidOptionError } from "../errors.ts";
import { silentLogger } from "../ports/console-logger.ts";
import { createSystemClock } from "../ports/system-clock.ts";
import { systemRandomness } from "../ports/system-randomness.ts";
import { NondeterminismError } from "../error-workflow.ts";
import type { PassEnd, PassParts } from "./pass-parts.ts";
import { runPass } from "./run-pass.ts";
import { DEFAULT_STEP_POLICY } from "./step-retries.ts";
import type { AnyWorkflowDefinition } from "./workflow-definition.ts";
import type { HasDefinition } from "./workflow-registry.ts";

/** What a run has recorded, as `viewRunDetail` gives it; instants may be texts, as JSON has them. */
export interface RunHistory {
  readonly workflow: string;
  readonly version: number;
  readonly params: JsonObject;
  /** @defaultValue `"replayed"` */
  readonly runId?: string;
  readonly steps: readonly (Omit<WorkflowStepEntry, "startedAt" | "endedAt"> &
    Readonly<{ startedAt: Date | string; endedAt: Date | string }>)[];
}

/** How far the code of a workflow came over a history, without anything new being done. */
export type ReplayEnd =
  | { readonly status: "completed"; readonly result: JsonValue }
  | { readonly status: "failed"; readonly error: TaskError }
  /** It waits, under these names. */
  | { readonly status: "suspended"; readonly waits: readonly string[] }
  /** It came through, and would begin this next. */
  | { readonly status: "running"; readonly next: string };

/**
 * Runs the code of a workflow over what a run has recorded, and says how far it came. No step is run, nothing is stored.
 * Throws `NondeterminismError` where code and history part, and `InvalidOptionError` for a history of something else.
 */
export async function replayHistory(workflow: HasDefinition, history: RunHistory): Promise<ReplayEnd> {
  const { definition } = workflow;
  if (definition.name !== history.workflow || definition.version !== history.version) {
    const expected = `a history of workflow "${definition.name}", version ${definition.version}`;
    throw new InvalidOptionError("history", `${history.workflow}, version ${history.version}`, expected);
  }
  const replay = new Replay();
  const end = await runPass(replay.partsFor(definition, history));
  return replay.endOf(end, definition);
}

/** Stands in for all that a pass could do something new with: whatever that is, the pass is over before it is done. */
class Replay {
  readonly #stop = new AbortController();
  #next: string | undefined;
  #result: JsonValue = null;

  endOf(end: PassEnd, definition: AnyWorkflowDefinition): ReplayEnd {
    if (this.#next !== undefined) return { status: "running", next: this.#next };
    if (end.kind === "completed") return { status: "completed", result: this.#result };
    if (end.kind === "suspended") return { status: "suspended", waits: end.waits.map(({ step }) => step) };
    const error = "error" in end ? end.error : undefined;
    if (end.kind !== "failed" || error === undefined) throw new Error(`A replay ended as "${end.kind}".`);
    if (error.type !== "NondeterminismError") return { status: "failed", error };
    throw new NondeterminismError(definition.name, String(error.meta["step"]), String(error.meta["finding"]));
  }

  partsFor(definition: AnyWorkflowDefinition, history: RunHistory): PassParts {
    const { workflow, version, params, runId = "replayed" } = history;
    const steps = history.steps.map((step) => ({
      ...step,
      startedAt: new Date(step.startedAt),
      endedAt: new Date(step.endedAt),
    }));
    const now = new Date(0);
    const run: RunState = {
      runId,
      workflow,
      version,
      params,
      status: "running",
      cursor: steps.length,
      metadata: {},
      queues: { orchestrationQueue: "replay", continuationQueue: "replay", executionQueue: "replay" },
      waits: [],
      rewinds: 0,
      continuation: 1,
      createdAt: now,
      updatedAt: now,
    };
    const store = {
      saveStep: (_: unknown, { name }: { readonly name: string }) => this.#begin(name),
      markCompleted: async (_: unknown, result: JsonValue) => void (this.#result = result),
    };
    return {
      definition,
      run,
      steps,
      waits: [],
      claim: { runId, ownerId: "replay", token: 1 },
      store: store as unknown as WorkflowStore,
      clock: createSystemClock(),
      ids: () => "replayed-child",
      randomness: systemRandomness,
      logger: silentLogger,
      leaseDuration: 1,
      stepRetryPolicy: DEFAULT_STEP_POLICY,
      enqueuer: {
        enqueueAll: (requests: readonly { readonly id: string }[]) => this.#begin(String(requests[0]?.id)),
      } as never,
      newChild: (ref, childParams) => ({
        runId: "replayed-child",
        workflow: ref.name,
        version: ref.version ?? 1,
        params: childParams as JsonObject,
        queues: run.queues,
      }),
      emit: (event) => {
        if (event.type === "step-started") void this.#begin(event.step);
      },
      signal: this.#stop.signal,
    };
  }

  /** Something new: the pass ends here. */
  #begin(what: string): Promise<never> {
    this.#next ??= what;
    this.#stop.abort(new Error("The replay is over."));
    return new Promise(() => undefined);
  }
}
