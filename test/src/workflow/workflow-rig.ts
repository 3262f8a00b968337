import { expect, onTestFinished } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import { InMemoryWorkflowStore } from "../../../adapters/memory/in-memory-workflow-store.ts";
import type { AnyTaskHandler } from "../../../src/contracts/task-handler.ts";
import type { WorkflowStore } from "../../../src/contracts/workflow-store.ts";
import type { Milliseconds } from "../../../src/core/duration.ts";
import { hasRunEnded } from "../../../src/core/workflow-status.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { createSeededRandomness } from "../../../src/testing/seeded-randomness.ts";
import { createSequentialIds } from "../../../src/testing/sequential-ids.ts";
import { WorkflowApp, type WorkflowAppOptions } from "../../../src/workflow/workflow-app.ts";
import type { WorkflowEvent, WorkflowEventType } from "../../../src/workflow/workflow-events.ts";
import type { HasDefinition } from "../../../src/workflow/workflow-registry.ts";
import { createWorkflowResult, type WorkflowResult } from "../../../src/workflow/workflow-result.ts";

export const START = Date.UTC(2026, 0, 1);

const EVENT_TYPES: readonly WorkflowEventType[] = [
  "started",
  "resumed",
  "suspended",
  "completed",
  "failed",
  "cancelled",
  "step-started",
  "step-completed",
  "step-retrying",
  "step-failed",
  "lease-lost",
];

/** What a rig is made with, beside its workflows. */
export interface WorkflowRigOptions {
  readonly tasks?: readonly AnyTaskHandler[];
  readonly runtime?: WorkflowAppOptions["runtime"];
  readonly worker?: WorkflowAppOptions["worker"];
}

/** An app on stores in memory and on one fake clock; it runs. */
export interface WorkflowRig {
  readonly app: WorkflowApp;
  readonly clock: FakeClock;
  readonly store: WorkflowStore;
  readonly broker: InMemoryBroker;
  readonly logger: RecordingLogger;
  readonly events: WorkflowEvent[];
  /** Types of the events so far, with the step where there is one. */
  readonly told: () => readonly string[];
  /** Lets everything happen that needs no time to pass. */
  readonly settle: () => Promise<void>;
  readonly advance: (by: Milliseconds) => Promise<void>;
  /** The run as it is now, which has to have ended. */
  readonly end: (runId: string) => Promise<WorkflowResult>;
  /** Names of the checkpoints of a run, in their order. */
  readonly steps: (runId: string) => Promise<readonly string[]>;
  /** Another app on the same stores and clock, running other code. */
  readonly another: (workflows: readonly HasDefinition[], options?: WorkflowRigOptions) => Promise<WorkflowApp>;
}

/** Everything is closed after the test, which then must have left no timer. */
export async function aWorkflowRig(
  workflows: readonly HasDefinition[],
  options: WorkflowRigOptions = {},
): Promise<WorkflowRig> {
  const clock = new FakeClock(START);
  const logger = new RecordingLogger();
  const broker = new InMemoryBroker({ clock, logger, sweeperInterval: 0 });
  const backend = new InMemoryResultBackend({ clock, logger, cleanupInterval: 0 });
  const store = new InMemoryWorkflowStore({ clock, logger, cleanupInterval: 0 });
  const apps: WorkflowApp[] = [];
  const make = async (some: readonly HasDefinition[], more: WorkflowRigOptions): Promise<WorkflowApp> => {
    const name = `app-${apps.length + 1}`;
    const app = new WorkflowApp(
      { broker, backend, store },
      {
        workflows: some,
        tasks: more.tasks ?? [],
        clock,
        logger,
        randomness: createSeededRandomness(),
        ids: createSequentialIds(name),
        worker: { consumerName: name, heartbeatInterval: 86_400_000, ...more.worker },
        runtime: { runtimeId: name, recoveryInterval: 86_400_000, ...more.runtime },
      },
    );
    apps.push(app);
    await app.start();
    return app;
  };
  const app = await make(workflows, options);
  const events: WorkflowEvent[] = [];
  for (const type of EVENT_TYPES) app.on(type, (event) => events.push(event));
  onTestFinished(async () => {
    const ended = Promise.all(apps.map((each) => each.worker.shutdown({ mode: "hard" }).then(() => each.close())));
    await clock.advance(60_000);
    await ended;
    await store.close();
    await broker.close();
    await backend.close();
    expect(clock.pendingTimers).toBe(0);
  });
  return {
    app,
    clock,
    store,
    broker,
    logger,
    events,
    told: () => events.map((event) => ("step" in event ? `${event.type} ${event.step}` : event.type)),
    settle: () => clock.advance(0),
    advance: (by) => clock.advance(by),
    async end(runId) {
      const state = await store.get(runId);
      if (state === null || !hasRunEnded(state.status)) {
        throw new Error(`Run ${runId} has not ended: ${JSON.stringify(state)}`);
      }
      return createWorkflowResult(state);
    },
    steps: async (runId) => (await store.listSteps(runId)).map(({ name }) => name),
    another: (some, more = {}) => make(some, more),
  };
}

/** What a test throws in a step. */
export class Mishap extends Error {
  override readonly name = "Mishap";
}
