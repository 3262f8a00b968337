import { InMemoryBroker, InMemoryResultBackend } from "../../adapters/memory/index.ts";
import { InMemoryWorkflowStore } from "../../adapters/memory/in-memory-workflow-store.ts";
import { SqliteBroker, SqliteResultBackend, SqliteWorkflowStore } from "../../adapters/entry/node.ts";
import { memoryStorage } from "../../adapters/storage/memory.ts";
import type { Broker } from "../../src/contracts/broker.ts";
import type { ResultBackend } from "../../src/contracts/result-backend.ts";
import type { StepWrite, WorkflowStore } from "../../src/contracts/workflow-store.ts";
import { hasRunEnded } from "../../src/core/workflow-status.ts";
import { silentLogger } from "../../src/ports/console-logger.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { createSeededRandomness } from "../../src/testing/seeded-randomness.ts";
import { createSequentialIds } from "../../src/testing/sequential-ids.ts";
import { DuplicateRunError } from "../../src/error-workflow.ts";
import { WorkflowApp, type WorkflowAppOptions } from "../../src/workflow/workflow-app.ts";
import { type AppliedCall, type Death, Life } from "./mortal-stores.ts";

/** Id of the one run of a scenario. */
export const RUN_ID = "run";
/** Longer than any wait of a scenario and any lease together. */
const PATIENCE_MS = 3_600_000;
const STEP_MS = 5_000;
const DAY_MS = 86_400_000;

/** A workflow that is to come to the same end however often it is interrupted. */
export interface Scenario {
  readonly workflow: string;
  readonly params?: object;
  /** What the app runs; `note` takes down what steps and tasks do. */
  program(note: (line: unknown) => void): WorkflowAppOptions;
  /** Events for the run; each life emits them again, with the same ids. */
  readonly events?: readonly Readonly<{ topic: string; payload: never }>[];
}

/** Where the stores of a scenario live. */
export interface StorePlace {
  readonly broker: Broker;
  readonly backend: ResultBackend;
  readonly store: WorkflowStore;
  close(): Promise<void>;
}

export type OpenPlace = (clock: FakeClock) => Promise<StorePlace>;

/** How a scenario ended, and what was seen on the way. */
export interface LivesReport {
  readonly status: string;
  readonly result: unknown;
  readonly error: string | undefined;
  /** The checkpoints by name, in their order, as JSON. */
  readonly steps: readonly string[];
  /** Calls that each life came to. */
  readonly calls: readonly number[];
  /** What was noted, in its order. */
  readonly notes: readonly string[];
  /** Ids of the tasks that were run, by how often. */
  readonly tasks: ReadonlyMap<string, number>;
  /** What no crash may lead to. */
  readonly problems: readonly string[];
}

export const inMemoryPlace: OpenPlace = async (clock) => {
  const broker = new InMemoryBroker({ clock, logger: silentLogger, sweeperInterval: 0 });
  const backend = new InMemoryResultBackend({ clock, logger: silentLogger, cleanupInterval: 0 });
  const store = new InMemoryWorkflowStore({ clock, logger: silentLogger, cleanupInterval: 0 });
  return { broker, backend, store, close: () => closeAll([store, backend, broker]) };
};

/** All in one database, or each in one of its own. */
export function sqlitePlace(files: "one" | "three"): OpenPlace {
  return async (clock) => {
    const file = (name: string): string => (files === "one" ? "all.sqlite" : `${name}.sqlite`);
    const connection = { clock, logger: silentLogger, storage: memoryStorage(), engine: "inline" } as const;
    const broker = await SqliteBroker.open(file("broker"), { ...connection, sweeperInterval: 0, pollInterval: DAY_MS });
    const backend = await SqliteResultBackend.open(file("backend"), { ...connection, cleanupInterval: 0 });
    const store = await SqliteWorkflowStore.open(file("runs"), { ...connection, cleanupInterval: 0 });
    return { broker, backend, store, close: () => closeAll([store, backend, broker]) };
  };
}

async function closeAll(stores: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const store of stores) await store.close();
}

/** Runs a scenario in one life after another, each ended by its `deaths`, the last one by nothing. */
export async function runInLives(
  scenario: Scenario,
  open: OpenPlace,
  deaths: readonly (Death | undefined)[],
): Promise<LivesReport> {
  const clock = new FakeClock();
  const place = await open(clock);
  const seen = new Seen(deaths.length);
  try {
    const calls: number[] = [];
    const idle: (() => Promise<void>)[] = [];
    for (const [index, death] of [...deaths, undefined].entries()) {
      const life = new Life(death, (call) => seen.apply(call));
      const app = startApp(scenario, place, life, seen, clock, index);
      idle.push(() => app.worker.shutdown({ mode: "hard" }).then(() => app.close()));
      const hasEnded = await waitForEnd(place.store, clock, () => life.isOver);
      calls.push(life.calls);
      if (life.isOver) idle.pop();
      life.spare();
      if (hasEnded) break;
    }
    const run = await place.store.get(RUN_ID);
    const steps = await place.store.listSteps(RUN_ID);
    const closing = Promise.all(idle.map((close) => close()));
    await clock.advance(60_000);
    await closing;
    if (steps.some(({ position }, index) => position !== index)) seen.problems.push("positions are not unique");
    return {
      status: run?.status ?? "not there",
      result: run?.result,
      error: run?.lastError?.message,
      // The id of a child is made by the life that starts it.
      steps: steps.map(({ name, value, kind }) =>
        JSON.stringify(name.endsWith("/start") ? [name] : [name, value, kind]),
      ),
      calls,
      notes: seen.notes,
      tasks: seen.tasks,
      problems: seen.problems,
    };
  } finally {
    await place.close();
  }
}

/** Runs a scenario undisturbed, and gives what it recorded and how it ended, without anything of this machine. */
export async function recordHistory(scenario: Scenario, open: OpenPlace): Promise<object> {
  const clock = new FakeClock();
  const place = await open(clock);
  const life = new Life(undefined, () => undefined);
  const app = startApp(scenario, place, life, new Seen(0), clock, 0);
  await waitForEnd(place.store, clock, () => false);
  const detail = await app.viewRunDetail(RUN_ID);
  const closing = app.close();
  await clock.advance(60_000);
  await closing;
  await place.close();
  if (detail === null) throw new Error("There is no run.");
  const { run, steps } = detail;
  const { runId, workflow, version, params, status, result, lastError } = run;
  const end = status === "completed" ? { status, result } : { status, error: lastError };
  const withoutStacks = (key: string, value: unknown): unknown => (key === "stack" ? undefined : value);
  return JSON.parse(JSON.stringify({ workflow, version, params, runId, steps, end }, withoutStacks)) as object;
}

async function waitForEnd(store: WorkflowStore, clock: FakeClock, isOver: () => boolean): Promise<boolean> {
  await clock.advance(0);
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    const run = store.get(RUN_ID);
    await clock.advance(0);
    const state = await run;
    if (state !== null && hasRunEnded(state.status)) return true;
    if (isOver()) return false;
    await clock.advance(STEP_MS);
  }
  return false;
}

function startApp(
  scenario: Scenario,
  { broker, backend, store }: StorePlace,
  life: Life,
  seen: Seen,
  clock: FakeClock,
  index: number,
): WorkflowApp {
  const name = `life-${index}`;
  const program = scenario.program((line) => {
    if (!life.isOver) seen.notes.push(String(line));
  });
  const tasks = (program.tasks ?? []).map((task) => {
    const run = task.run.bind(task) as (context: { readonly id: string }, args: never) => unknown;
    const counted = (context: { readonly id: string }, args: never): unknown => {
      if (!life.isOver) seen.task(context.id);
      return run(context, args);
    };
    return { name: task.name, options: task.options, run: counted };
  });
  const app = new WorkflowApp(
    { broker: life.wrap(broker), backend: life.wrap(backend), store: life.wrap(store) },
    {
      ...program,
      tasks,
      clock,
      logger: silentLogger,
      randomness: createSeededRandomness(index + 1),
      ids: createSequentialIds(name),
      worker: { consumerName: name, heartbeatInterval: DAY_MS },
      runtime: { runtimeId: name },
    },
  );
  app.on("step-started", ({ step }) => (life.isOver ? undefined : seen.start(step)));
  void drive(scenario, app).catch((error: unknown) => seen.problems.push(String(error)));
  return app;
}

/** What a program does that does not know how far an earlier life came. */
async function drive({ workflow, params, events = [] }: Scenario, app: WorkflowApp): Promise<void> {
  await app.start();
  try {
    await app.startWorkflow(workflow, { runId: RUN_ID, ...(params === undefined ? {} : { params: params as never }) });
  } catch (error) {
    if (!(error instanceof DuplicateRunError)) throw error;
  }
  for (const [index, { topic, payload }] of events.entries()) {
    await app.emit(topic, payload, { eventId: `event-${index}` });
  }
}

/** Checks the steps of one run as they are told and stored. */
class Seen {
  readonly notes: string[] = [];
  readonly tasks = new Map<string, number>();
  readonly problems: string[] = [];
  readonly #saved = new Set<string>();
  readonly #starts = new Map<string, number>();
  readonly #crashes: number;

  constructor(crashes: number) {
    this.#crashes = crashes;
  }

  start(step: string): void {
    if (this.#saved.has(step)) this.problems.push(`step ${step} began after it was saved`);
    this.#starts.set(step, (this.#starts.get(step) ?? 0) + 1);
  }

  task(id: string): void {
    const count = (this.tasks.get(id) ?? 0) + 1;
    this.tasks.set(id, count);
    if (count > this.#crashes + 1) this.problems.push(`task ${id} ran ${count} times`);
  }

  apply({ method, args }: AppliedCall): void {
    const [claim, second, third] = args as [{ readonly runId?: string } | undefined, unknown, unknown];
    if (method !== "saveStep" && method !== "markCompleted") return;
    const step = (method === "saveStep" ? second : third) as StepWrite | undefined;
    if (claim?.runId !== RUN_ID || step === undefined) return;
    if (this.#saved.has(step.name)) this.problems.push(`step ${step.name} was saved twice`);
    this.#saved.add(step.name);
  }
}
