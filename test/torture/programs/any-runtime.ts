// Uses one database in whatever runtime this is, one command per line of standard input.
import { createInterface } from "node:readline";
import { createEnvelope, SqliteBroker } from "stem-sqlite";

const [file = ""] = process.argv.slice(2);
const broker = await SqliteBroker.open(file);
console.log("open");

for await (const line of createInterface({ input: process.stdin })) {
  const [command = "", id = ""] = line.split(" ");
  if (command === "publish") {
    await broker.publish(createEnvelope({ id, name: "work" }));
    console.log(`published ${id}`);
  } else if (command === "take") {
    for await (const delivery of broker.consume({ queues: ["default"] })) {
      await broker.ack(delivery);
      console.log(`took ${delivery.envelope.id}`);
      break;
    }
  } else break;
}
await broker.close();
console.log("closed");
