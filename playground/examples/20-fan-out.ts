// Fan-out: a step enqueues a hundred tasks, and the run goes on when all of them have ended.
import { defineTask, StemWorkflowApp, type WorkflowAppOptions, WorkflowScript } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const square = defineTask("square", async (_context, { n }: { n: number }) => {
  if (n === 13) throw new RangeError("unlucky");
  return n * n;
});

const sum = new WorkflowScript<{ sum: number; failed: number }, { count: number }>({
  name: "sum-of-squares",
  async run(script) {
    const requests = Array.from({ length: script.params.count }, (_, n) => ({ name: "square", args: { n } }));
    const outcomes = await script.tasks("squares", requests);
    const values = outcomes.filter(({ status }) => status === "succeeded").map(({ value }) => Number(value));
    return { sum: values.reduce((total, value) => total + value, 0), failed: outcomes.length - values.length };
  },
});

export const program = (): WorkflowAppOptions => ({ workflows: [sum], tasks: [square] });

export async function run({ file, log }: ExampleContext): Promise<void> {
  const app = await StemWorkflowApp.open(file("squares.sqlite"), program());
  await app.start();

  const runId = await sum.start(app, { params: { count: 100 } });
  const result = await sum.waitFor(app, runId);
  log(JSON.stringify(result?.value));
  await app.close();
}

// 0 + 1 + 4 + ... + 99 * 99 is 328350; without 13 * 13 it is 328181.
export const expected: readonly string[] = ['{"sum":328181,"failed":1}'];
