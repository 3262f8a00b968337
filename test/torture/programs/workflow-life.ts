// Runs workflows of the examples in one file until all their runs have ended, whoever began them. Writes each effect to
// a record, and says on standard output what it comes to: each effect, and where a call to the store begins and ends.
// Arguments: the database, the record, the number of this life, and names of examples with commas between them. With a
// fifth, `step`, it stands still after each line until it reads one byte.
import { readSync } from "node:fs";
import {
  type AnyTaskHandler,
  DuplicateRunError,
  type HasDefinition,
  silentLogger,
  SqliteBroker,
  SqliteResultBackend,
  SqliteWorkflowStore,
  StemWorkflowApp,
  type WorkflowAppOptions,
  type WorkflowScriptContext,
  type WorkflowStepContext,
} from "stem-sqlite";
import { program as greeting } from "../../../playground/examples/16-workflow-store.ts";
import { program as onboarding } from "../../../playground/examples/17-onboarding.ts";
import { program as saga } from "../../../playground/examples/18-saga.ts";
import { program as approval } from "../../../playground/examples/19-approval.ts";
import { program as fanOut } from "../../../playground/examples/20-fan-out.ts";
import { EXAMPLE_RUNS } from "../../support/workflow-examples.ts";
import { WorkflowRecord } from "../../support/workflow-record.ts";
import { writeLine } from "../../support/write-line.ts";

type Call = (...given: readonly unknown[]) => Promise<unknown>;
/** The body is no part of the public types. */
type Body = (script: WorkflowScriptContext) => Promise<unknown>;

const PROGRAMS: Readonly<Record<string, (log: (line: unknown) => void) => WorkflowAppOptions>> = {
  "16-workflow-store": greeting,
  "17-onboarding": onboarding,
  "18-saga": saga,
  "19-approval": approval,
  "20-fan-out": fanOut,
};
/** What changes something for good. */
const WRITES = [
  "createRun",
  "emit",
  "claimRun",
  "saveStep",
  "suspend",
  "releaseRun",
  "markCompleted",
  "markFailed",
  "recordTaskEnd",
] as const satisfies readonly (keyof SqliteWorkflowStore)[];
/** However often it is killed at one place, that is no reason to give up. */
const NO_LIMIT = 1_000_000;

const [file = "", recordFile = "", lifeText = "0", exampleNames = "", mode = ""] = process.argv.slice(2);
const life = Number(lifeText);
const examples = exampleNames.split(",");
const record = new WorkflowRecord(recordFile);
const byte = Buffer.alloc(1);

function say(line: string): void {
  writeLine(1, line);
  if (mode === "step") readSync(0, byte);
}

/** The run and what it is about, of the arguments of any call: a continuation, a step, the place of a task, waits. */
function subject(method: string, [first, second, third]: readonly unknown[]): string {
  if (typeof first === "string") {
    const { continuation = "" } = (second ?? {}) as { readonly continuation?: number };
    return `${method} ${first} ${continuation}`;
  }
  const { runId, step, index } = first as { readonly runId: string; readonly step?: string; readonly index?: number };
  if (step !== undefined) return `${method} ${runId} ${step} ${index}`;
  const named = [method === "markCompleted" ? third : second].flat() as readonly Readonly<{
    name?: string;
    step?: string;
  }>[];
  return `${method} ${runId} ${named.map((each) => each?.name ?? each?.step ?? "").join("+")}`;
}

/** Says when calls begin and end, and records what was saved. */
function observeStore(store: SqliteWorkflowStore): SqliteWorkflowStore {
  for (const method of WRITES) {
    const call = (store[method] as unknown as Call).bind(store);
    const observed: Call = async (...given) => {
      const what = subject(method, given);
      say(`before ${what}`);
      const value = await call(...given);
      const [claim, second, third] = given as [{ readonly runId: string }, unknown, unknown];
      const step = method === "saveStep" ? second : method === "markCompleted" ? third : undefined;
      if (step !== undefined) {
        record.append({ f: "saved", life, run: claim.runId, step: (step as { readonly name: string }).name });
      }
      say(`after ${what}`);
      return value;
    };
    Object.defineProperty(store, method, { value: observed });
  }
  return store;
}

function withEffect<More extends readonly unknown[], Result>(
  run: (context: WorkflowStepContext, ...more: More) => Result,
): typeof run {
  return (context, ...more) => {
    const { workflow, runId, attempt } = context;
    const key = context.idempotencyKey();
    const step = key.slice(`${workflow}/${runId}/`.length);
    record.append({ f: "effect", life, run: runId, step, attempt, key });
    say(`effect ${runId}/${step} ${attempt}`);
    return run(context, ...more);
  };
}

function observeWorkflow({ definition }: HasDefinition): HasDefinition {
  const { body } = definition as unknown as { readonly body: Body };
  const observed: Body = (script) => {
    const step: WorkflowScriptContext["step"] = (name, run, options) => {
      const { compensate } = options ?? {};
      const undo = compensate === undefined ? {} : { compensate: withEffect(compensate) };
      return script.step(name, withEffect(run), { ...options, ...undo });
    };
    return body({ ...script, step });
  };
  const both = { ...definition, body: observed };
  return { definition: both };
}

function observeTask({ name, options, run }: AnyTaskHandler): AnyTaskHandler {
  const observed: typeof run = (context, args) => {
    const { id, fence } = context;
    record.append({ f: "task", life, id, fence });
    say(`effect ${id}`);
    return run(context, args);
  };
  return { name, options, run: observed };
}

// Where it is to stand still, no thread goes on.
const connection = { logger: silentLogger, engine: mode === "step" ? "inline" : "auto" } as const;
const broker = await SqliteBroker.open(file, { ...connection, maxDeliveries: NO_LIMIT });
const backend = await SqliteResultBackend.open(file, connection);
const runs = observeStore(await SqliteWorkflowStore.open(file, connection));
const programs = examples.map((name) => PROGRAMS[name]?.(() => undefined) ?? { workflows: [] });
const app = StemWorkflowApp.create({
  broker,
  backend,
  store: runs,
  logger: silentLogger,
  workflows: programs.flatMap(({ workflows }) => workflows.map(observeWorkflow)),
  tasks: programs.flatMap(({ tasks = [] }) => tasks.map(observeTask)),
  runtime: { maxRecoveries: NO_LIMIT },
});
record.append({ f: "looks", life });
for (const run of examples) {
  record.append({ f: "found", life, run, steps: (await runs.listSteps(run)).map(({ name }) => name) });
}
say("open");
await app.start();
for (const runId of examples) {
  const { workflow, params = {}, events = [] } = EXAMPLE_RUNS[runId] ?? { workflow: runId };
  if ((await runs.get(runId)) === null) {
    await app.startWorkflow(workflow, { runId, params }).catch((error: unknown) => {
      // Another process was faster.
      if (!(error instanceof DuplicateRunError)) throw error;
    });
  }
  for (const [index, { topic, payload }] of events.entries()) {
    await app.emit(topic(runId), payload, { eventId: `event-${index}` });
  }
}
for (const runId of examples) await app.waitForCompletion(runId);
say("all have ended");
await app.close();
await runs.close();
await backend.close();
await broker.close();
process.exit(0);
