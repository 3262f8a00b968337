// A revoked task never runs: the worker ends it as cancelled. Only the revocations are in a file here.
import { defineTask, InMemoryBroker, InMemoryResultBackend, SqliteRevokeStore, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const charge = defineTask("card.charge", async (_context, { order }: { order: string }) => {
    log(`charged ${order}`);
  });
  const broker = new InMemoryBroker();
  const backend = new InMemoryResultBackend();
  const revokeStore = await SqliteRevokeStore.open(file("stem_revoke.sqlite"), { namespace: "stem" });
  const stem = new Stem({ broker, backend, tasks: [charge] });
  const worker = new Worker({ broker, backend, revokeStore, tasks: [charge] });

  const kept = await charge.enqueue(stem, { order: "A-1" });
  const revoked = await charge.enqueue(stem, { order: "A-2" });
  const issuedAt = new Date();
  await revokeStore.upsertAll([
    {
      namespace: "stem",
      taskId: revoked,
      version: issuedAt.getTime(),
      issuedAt,
      terminate: false,
      reason: "the customer changed his mind",
      requestedBy: "support",
    },
  ]);

  await worker.start();
  log(`A-1: ${(await stem.waitForTask(kept)).state}`);
  log(`A-2: ${(await stem.waitForTask(revoked)).state}`);

  await worker.shutdown();
  await revokeStore.close();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = ["charged A-1", "A-1: succeeded", "A-2: cancelled"];
