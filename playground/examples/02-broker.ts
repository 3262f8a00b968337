// A broker alone: publish a message, take it under a lease, acknowledge it.
import { createEnvelope, SqliteBroker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("stem_broker.sqlite"), { defaultVisibilityTimeout: 60_000 });

  // When this resolves, the message survives a crash and a power cut.
  const receipt = await broker.publish(createEnvelope({ name: "mail.send", args: { to: "ada@example.org" } }));
  log(`published: ${receipt.outcome}`);
  log(`pending: ${await broker.pendingCount("default")}`);

  for await (const delivery of broker.consume({ queues: ["default"] }, { prefetch: 1 })) {
    log(`delivered: ${delivery.envelope.name} to ${String(delivery.envelope.args["to"])}`);
    log(`leased: ${await broker.inflightCount("default")}`);
    await broker.ack(delivery);
    break;
  }

  log(`pending: ${await broker.pendingCount("default")}, leased: ${await broker.inflightCount("default")}`);
  await broker.close();
}

export const expected: readonly string[] = [
  "published: stored",
  "pending: 1",
  "delivered: mail.send to ada@example.org",
  "leased: 1",
  "pending: 0, leased: 0",
];
