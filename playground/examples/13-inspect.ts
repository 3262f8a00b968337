// A program looks at its queues: what waits, for how long, who holds what; and at the database that they are in.
import { createEnvelope, SqliteBroker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("broker.sqlite"));
  const send = (to: string, notBefore?: Date) =>
    broker.publish(
      createEnvelope({ name: "mail.send", args: { to }, ...(notBefore === undefined ? {} : { notBefore }) }),
    );
  await send("ada@example.org");
  await send("bob@example.org");
  await send("eve@example.org", new Date("2999-01-01T08:00:00Z"));
  const consumer = broker.consume({ queues: ["default"] }, { consumerName: "mail-1" });
  await consumer.next();

  for (const { queue, ready, delayed, leased, dead } of await broker.listQueues()) {
    log(`${queue}: ${ready} ready, ${delayed} delayed, ${leased} leased, ${dead} dead`);
  }
  const pending = await broker.listPending("default", { limit: 10 });
  for (const { envelope, visibleAt } of pending.entries) {
    log(
      `${String(envelope.args["to"])} ${visibleAt === undefined ? "waits" : `waits until ${visibleAt.getUTCFullYear()}`}`,
    );
  }
  const inflight = await broker.listInflight("default");
  for (const { envelope, consumerName } of inflight.entries) log(`${consumerName} has ${String(envelope.args["to"])}`);

  const { storage, survives, role, owner, engine } = await broker.health();
  log(`${storage.persistent ? "stored" : "in memory"}, survives a ${survives}`);
  log(`${role} of ${owner.members} member, ${engine.name} in a ${engine.place}`);
  await consumer.return();
  await broker.close();
}

export const expected: readonly string[] = [
  "default: 1 ready, 1 delayed, 1 leased, 0 dead",
  "bob@example.org waits",
  "eve@example.org waits until 2999",
  "mail-1 has ada@example.org",
  "stored, survives a power-cut",
  "owner of 1 member, sqlite in a thread",
];
