// Holds a database open; publishes one message for each line it reads, and closes when its input ends.
import { createInterface } from "node:readline";
import { createEnvelope, SqliteBroker } from "stem-sqlite";

const [file = ""] = process.argv.slice(2);
const broker = await SqliteBroker.open(file);
console.log("open");
for await (const id of createInterface({ input: process.stdin })) {
  await broker.publish(createEnvelope({ id, name: "held" }));
  console.log(`published ${id}`);
}
await broker.close();
