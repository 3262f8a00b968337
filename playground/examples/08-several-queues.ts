// One worker may serve several queues, and several workers may share one; each task goes to the queue it names.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const resize = defineTask("image.resize", async ({ queue }) => `resized from ${queue}`, { queue: "images" });
const send = defineTask("mail.send", async ({ queue }) => `sent from ${queue}`, { queue: "mail" });
const build = defineTask("report.build", async ({ queue }) => `built from ${queue}`, { queue: "reports" });

export async function run({ file, log }: ExampleContext): Promise<void> {
  const tasks = [resize, send, build];
  const broker = await SqliteBroker.open(file("broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("backend.sqlite"));
  const stem = new Stem({ broker, backend, tasks });
  const both = new Worker({ broker, backend, tasks, subscription: { queues: ["images", "mail"] } });
  const reports = new Worker({ broker, backend, tasks, subscription: { queues: ["reports"] } });
  await both.start();
  await reports.start();

  const ids = await stem.enqueueAll([{ name: "image.resize" }, { name: "mail.send" }, { name: "report.build" }]);
  for (const id of ids) log(String((await stem.waitForTask(id)).value));

  // One enqueue may name another queue than its task does.
  const rerouted = await send.enqueue(stem, {}, { enqueueOptions: { queue: "reports" } });
  log(String((await stem.waitForTask(rerouted)).value));

  await both.shutdown();
  await reports.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "resized from images",
  "sent from mail",
  "built from reports",
  "sent from reports",
];
