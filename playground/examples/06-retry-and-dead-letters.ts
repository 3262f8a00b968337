// A task that fails is tried again with growing delays; out of retries it is a dead letter, which can be replayed.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  let serverIsUp = false;
  const fetchPage = defineTask(
    "page.fetch",
    async (context, { url }: { url: string }) => {
      log(`attempt ${context.attempt}`);
      if (!serverIsUp) throw new Error("connection refused");
      return `fetched ${url}`;
    },
    { maxRetries: 2, retryPolicy: { backoff: true, defaultDelay: 20, backoffMax: 100 } },
  );
  const broker = await SqliteBroker.open(file("broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("backend.sqlite"));
  const stem = new Stem({ broker, backend, tasks: [fetchPage] });
  const worker = new Worker({ broker, backend, tasks: [fetchPage] });
  // With two files, the result is written before the message ends; this event comes after both.
  const failure = new Promise<string>((resolve) => {
    worker.on("failed", ({ error }) => resolve(error.message));
  });
  await worker.start();

  const id = await fetchPage.enqueue(stem, { url: "https://example.org" });
  log(`failed: ${await failure}`);

  const letter = await broker.getDeadLetter("default", id);
  log(`dead letter: ${letter?.reason}`);

  serverIsUp = true;
  // Replayed messages have their retries again. A replayed task ends as `succeeded` where it was `failed`.
  log("replay");
  await broker.replayDeadLetters("default");
  await worker.runUntilIdle();
  const status = await stem.getTask(id);
  log(`${status?.state}: ${String(status?.payload)}`);

  await worker.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "attempt 0",
  "attempt 1",
  "attempt 2",
  "failed: connection refused",
  "dead letter: max-retries-exhausted",
  "replay",
  "attempt 0",
  "succeeded: fetched https://example.org",
];
