// A workflow in a SQLite file: what a step came to is stored, and the run can go on in any other process.
import { Flow, StemWorkflowApp, type WorkflowAppOptions } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const flow = new Flow<string>({
  name: "sqlite.example",
  build: (steps) => steps.step("greet", async () => "Persisted to SQLite"),
});

export const program = (): WorkflowAppOptions => ({ workflows: [flow] });

export async function run({ file, log }: ExampleContext): Promise<void> {
  // Broker, results, revocations and runs share one file, and one transaction wherever it matters.
  const app = await StemWorkflowApp.open(file("workflow.sqlite"), program());
  await app.start();

  const runId = await flow.start(app, { runId: "first" });
  const result = await flow.waitFor(app, runId);
  log(`Workflow ${runId} finished with result: ${result?.value}`);
  await app.close();

  // What was stored is there for whoever opens the file next.
  const later = await StemWorkflowApp.open(file("workflow.sqlite"), program());
  const detail = await later.viewRunDetail(runId);
  for (const { position, name, value } of detail?.steps ?? []) log(`step ${position}, ${name}: ${String(value)}`);
  await later.close();
}

export const expected: readonly string[] = [
  "Workflow first finished with result: Persisted to SQLite",
  "step 0, greet: Persisted to SQLite",
];
