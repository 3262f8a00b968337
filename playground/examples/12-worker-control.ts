// A program asks its workers who is there, pauses a queue, resumes it, and shuts them down: all through the broker.
import { defineTask, SqliteBroker, SqliteRevokeStore, Stem, Worker, WorkerControl } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const send = defineTask("mail.send", async (_context, { to }: { to: string }) => log(`sent to ${to}`));
  const broker = await SqliteBroker.open(file("stem.sqlite"));
  const revokeStore = await SqliteRevokeStore.open(file("stem.sqlite"));
  const stem = new Stem({ broker, tasks: [send] });
  const worker = new Worker({ broker, revokeStore, tasks: [send], consumerName: "mail-1" });
  const control = new WorkerControl({ broker });
  await worker.start();

  for (const { workerId } of await control.ping({ expect: 1 })) log(`${workerId} is there`);
  await control.pauseQueue("default", { expect: 1, reason: "the mail server is down", requestedBy: "ops" });
  await send.enqueue(stem, { to: "ada@example.org" });
  const [status] = await control.queueStatus({ targets: ["mail-1"] });
  if (status?.status === "ok") for (const { queue, reason } of status.payload.paused) log(`${queue}: ${reason}`);
  log(`waiting: ${await broker.pendingCount("default")}`);

  const sent = new Promise<void>((resolve) => worker.on("completed", () => resolve()));
  await control.resumeQueue("default", { expect: 1 });
  await sent;

  const [farewell] = await control.shutdown({ expect: 1, mode: "warm" });
  if (farewell?.status === "ok") log(`${farewell.workerId}: shutdown ${farewell.payload.status}`);
  await worker.shutdown();
  await control.close();
  await revokeStore.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "mail-1 is there",
  "default: the mail server is down",
  "waiting: 1",
  "sent to ada@example.org",
  "mail-1: shutdown initiated",
];
