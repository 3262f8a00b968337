// Every part of the adapter once: publish, take, acknowledge, store a status, read it. Both stores share one file here.
import { createEnvelope, SqliteBroker, SqliteResultBackend } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const database = file("stem_sqlite_example.db");
  const broker = await SqliteBroker.open(database);
  const backend = await SqliteResultBackend.open(database);

  await broker.publish(createEnvelope({ id: "example-1", name: "example.task" }));
  const consumer = broker.consume({ queues: ["default"] });
  const { value: delivery } = await consumer.next();
  if (delivery === undefined) throw new Error("The queue ended without a delivery.");
  await broker.ack(delivery);

  const { id, attempt } = delivery.envelope;
  await backend.set(id, "succeeded", { attempt, meta: { example: true } });
  const status = await backend.get(id);
  log(`Stored ${status?.id} with state ${status?.state}`);

  await consumer.return();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = ["Stored example-1 with state succeeded"];
