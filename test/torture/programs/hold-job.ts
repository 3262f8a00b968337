// Takes one message at a time. The first delivery of a message is held and never ended, any later one is acknowledged;
// both are said with the time, in microseconds of the machine's clock. Argument: the database.
import { SqliteBroker } from "stem-sqlite";
import { microseconds } from "../../support/queue-history/history-log.ts";

const [file = ""] = process.argv.slice(2);
const broker = await SqliteBroker.open(file, { logger: { log: () => undefined } });
console.log("open");
for await (const delivery of broker.consume({ queues: ["held"] }, { prefetch: 1 })) {
  console.log(JSON.stringify({ id: delivery.envelope.id, deliveries: delivery.deliveries, at: microseconds() }));
  if (delivery.deliveries > 1) await broker.ack(delivery);
}
