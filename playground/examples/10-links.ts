// A task can name what follows it: `link` after its success, `linkError` once it has failed for good.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const charge = defineTask(
  "card.charge",
  async (_context, { amount }: { amount: number }) => {
    if (amount > 100) throw new RangeError("over the limit");
    return `charged ${amount}`;
  },
  { maxRetries: 1, retryPolicy: { defaultDelay: 20 } },
);

type Recipient = { to: string };
const receipt = defineTask(
  "mail.receipt",
  async ({ meta }, { to }: Recipient) => `receipt to ${to}, after ${String(meta["stem.parentTaskId"])}`,
);
const apology = defineTask(
  "mail.apology",
  async ({ meta }, { to }: Recipient) => `apology to ${to}, after ${String(meta["stem.parentTaskId"])}`,
);

export async function run({ file, log }: ExampleContext): Promise<void> {
  const tasks = [charge, receipt, apology];
  // In one file, a task's result, the end of its message and what follows it are one transaction.
  const broker = await SqliteBroker.open(file("shop.sqlite"));
  const backend = await SqliteResultBackend.open(file("shop.sqlite"));
  const stem = new Stem({ broker, backend, tasks });
  const worker = new Worker({ broker, backend, tasks });
  await worker.start();

  for (const [order, amount] of [["order-1", 30] as const, ["order-2", 300] as const]) {
    // The ids of linked tasks are known from the start, so that they can be waited for.
    const link = { name: "mail.receipt", args: { to: "ada" }, enqueueOptions: { taskId: `${order}-receipt` } };
    const linkError = { name: "mail.apology", args: { to: "ada" }, enqueueOptions: { taskId: `${order}-apology` } };
    const enqueueOptions = { taskId: order, link: [link], linkError: [linkError] };
    await charge.enqueue(stem, { amount }, { enqueueOptions });
    const { status } = await stem.waitForTask(order);
    log(`${order} ${status.state} at attempt ${status.attempt}`);
    const mail = await stem.waitForTask(status.state === "succeeded" ? `${order}-receipt` : `${order}-apology`);
    log(String(mail.value));
  }

  await worker.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "order-1 succeeded at attempt 0",
  "receipt to ada, after order-1",
  "order-2 failed at attempt 1",
  "apology to ada, after order-2",
];
