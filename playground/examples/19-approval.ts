// A human decides: a run waits for an event, for as long as it takes, or until its deadline.
import { defineWorkflowEvent, StemWorkflowApp, type WorkflowAppOptions, WorkflowScript } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

type Expense = { amount: number; patience: number };
const decided = (runId: string) => defineWorkflowEvent<{ ok: boolean; by: string }>(`expense.decided/${runId}`);

const expense = new WorkflowScript<string, Expense>({
  name: "expense",
  async run(script) {
    const { amount, patience } = script.params;
    const decision = await script.waitForEvent(decided(script.runId), { timeout: patience });
    if (decision === undefined) return `${amount}: nobody decided`;
    return script.step("pay", () => `${amount}: ${decision.ok ? "paid" : "refused"} by ${decision.by}`);
  },
});

export const program = (): WorkflowAppOptions => ({ workflows: [expense] });

export async function run({ file, log }: ExampleContext): Promise<void> {
  const app = await StemWorkflowApp.open(file("expenses.sqlite"), program());
  await app.start();

  const first = await expense.start(app, { params: { amount: 10, patience: 60_000 } });
  const second = await expense.start(app, { params: { amount: 20, patience: 60_000 } });
  const third = await expense.start(app, { params: { amount: 30, patience: 50 } });
  // It does not matter who is first, the run or the event.
  await app.emit(decided(first), { ok: true, by: "grace" });
  await app.emit(decided(second), { ok: false, by: "grace" });
  for (const runId of [first, second, third]) {
    const result = await expense.waitFor(app, runId);
    log(String(result?.value));
  }
  await app.close();
}

export const expected: readonly string[] = ["10: paid by grace", "20: refused by grace", "30: nobody decided"];
