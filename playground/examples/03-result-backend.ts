// Statuses and results in a file of their own. Nothing runs the task here: its status stays `queued`.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const demo = defineTask("demo", async () => "done");

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("stem_broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("stem_backend.sqlite"), { defaultTtl: 3_600_000 });
  const stem = new Stem({ broker, backend, tasks: [demo] });

  const id = await stem.enqueue("demo", { args: {} });
  log(`status: ${(await backend.get(id))?.state}`);
  log(`pending: ${await broker.pendingCount("default")}`);

  await backend.close();
  await broker.close();

  // Both files still know about it.
  const again = await SqliteResultBackend.open(file("stem_backend.sqlite"));
  log(`after reopening: ${(await again.get(id))?.state}`);
  await again.close();
}

export const expected: readonly string[] = ["status: queued", "pending: 1", "after reopening: queued"];
