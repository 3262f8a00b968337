// The README's first program; a test compares the two.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const hello = defineTask("demo.hello", async (_context, args: { name: string }) => `Hello ${args.name}`);

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("stem_broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("stem_backend.sqlite"));
  const stem = new Stem({ broker, backend, tasks: [hello] });
  const worker = new Worker({ broker, backend, tasks: [hello] });
  await worker.start();

  const id = await hello.enqueue(stem, { name: "world" });
  log((await stem.waitForTask(id))?.value); // Hello world

  await worker.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = ["Hello world"];
