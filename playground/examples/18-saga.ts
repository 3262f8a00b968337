// A saga: when a step fails for good, what the steps before it have done is undone, the last one first.
import { StemWorkflowApp, type WorkflowAppOptions, WorkflowScript } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

function tripWith(log: ExampleContext["log"]): WorkflowScript<string> {
  const book = (what: string) => async (): Promise<string> => {
    log(`book ${what}`);
    return `${what}-1`;
  };
  const cancel = (_context: unknown, booking: string): void => log(`cancel ${booking}`);

  return new WorkflowScript<string>({
    name: "trip",
    async run(script) {
      const flight = await script.step("flight", book("flight"), { compensate: cancel });
      const hotel = await script.step("hotel", book("hotel"), { compensate: cancel });
      await script.step(
        "car",
        ({ attempt }) => {
          log(`no car, attempt ${attempt}`);
          throw new Error("sold out");
        },
        { retryPolicy: { maxRetries: 1, defaultDelay: 20 } },
      );
      return `${flight} ${hotel}`;
    },
  });
}

export const program = (log: ExampleContext["log"]): WorkflowAppOptions => ({ workflows: [tripWith(log)] });

export async function run({ file, log }: ExampleContext): Promise<void> {
  const app = await StemWorkflowApp.open(file("trip.sqlite"), program(log));
  await app.start();

  const runId = await app.startWorkflow("trip");
  const result = await app.waitForCompletion(runId);
  log(`${result?.status}: ${result?.state.lastError?.message}`);
  await app.close();
}

export const expected: readonly string[] = [
  "book flight",
  "book hotel",
  "no car, attempt 0",
  "no car, attempt 1",
  "cancel hotel-1",
  "cancel flight-1",
  'failed: Step "car" failed: Error: sold out',
];
