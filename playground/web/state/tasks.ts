import { signal } from "@preact/signals";
import { type AnyTaskHandler, defineTask, type JsonObject, type TaskContext } from "stem-sqlite";

/** Whether the server is up that `server.call` pretends to call; while it is down, its jobs become dead letters. */
export const serverIsUp = signal(false);

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const quick = defineTask("demo.quick", async (_context, { n }: { n: number }) => ({ doubled: n * 2 }));

export const slow = defineTask("demo.slow", async (context, { seconds }: { seconds: number }) => {
  const steps = seconds * 4;
  for (let step = 1; step <= steps; step++) {
    await pause(250);
    // Also a checkpoint: it throws when the job was revoked or its lease is lost.
    context.progress(step / steps, { step });
  }
  return `worked for ${seconds} seconds`;
});

export const flaky = defineTask(
  "demo.flaky",
  async ({ attempt }) => {
    if (attempt < 2) throw new Error(`attempt ${attempt} fails on purpose`);
    return `succeeded at attempt ${attempt}`;
  },
  { maxRetries: 3, retryPolicy: { defaultDelay: 1_500, jitter: false } },
);

export const callServer = defineTask(
  "server.call",
  async (_context, { path }: { path: string }) => {
    if (!serverIsUp.value) throw new Error("connection refused: the server is down");
    return `200 OK ${path}`;
  },
  { maxRetries: 1, retryPolicy: { defaultDelay: 500, jitter: false } },
);

export const charge = defineTask("card.charge", async (_context, { amount }: { amount: number }) => {
  await pause(400);
  return `charged ${amount}`;
});

export const receipt = defineTask(
  "mail.receipt",
  async ({ meta }: TaskContext, { to }: { to: string }) => {
    await pause(400);
    return `receipt to ${to}, after ${String(meta["stem.parentTaskId"])}`;
  },
  { queue: "mail" },
);

export const echo = defineTask("demo.echo", async (_context, args: JsonObject) => args);

/** What fails with the text it is given: whatever that is, the page shows it as text. */
export const fail = defineTask("demo.fail", async (_context, { message }: { message: string }) => {
  throw new Error(message);
});

export const TASKS: readonly AnyTaskHandler[] = [quick, slow, flaky, callServer, charge, receipt, echo, fail];

/** The queue of the messages by which runs of workflows go on. */
export const WORKFLOW_QUEUE = "workflow";
/** The queues that workers of this page serve. */
export const QUEUES: readonly string[] = ["default", "mail", WORKFLOW_QUEUE];
