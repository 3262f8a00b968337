// For each line, the name of a database, opens it, publishes one message, says so, and leaves it again. Its argument is
// the name of this process.
import { createInterface } from "node:readline";
import { createEnvelope, SqliteBroker } from "stem-sqlite";

const [name = ""] = process.argv.slice(2);
console.log("ready");
for await (const file of createInterface({ input: process.stdin })) {
  const broker = await SqliteBroker.open(file);
  await broker.publish(createEnvelope({ id: name, name: "hello" }));
  console.log(`published in ${file}`);
  await broker.close();
  console.log(`left ${file}`);
}
