// Opens a database with a short patience, and publishes one message for each line it reads: says "published" and its id,
// or "failed", its id and the code of the error. Closes when its input ends. Argument: the database.
import { createInterface } from "node:readline";
import { createEnvelope, SqliteBroker, StemError } from "stem-sqlite";

const codeOf = (error: unknown): string => (error instanceof StemError ? error.code : String(error));

const [file = ""] = process.argv.slice(2);
try {
  const broker = await SqliteBroker.open(file, { ownerTimeout: 500, logger: { log: () => undefined } });
  console.log("open");
  for await (const id of createInterface({ input: process.stdin })) {
    await broker.publish(createEnvelope({ id, name: "patient" })).then(
      () => console.log(`published ${id}`),
      (error: unknown) => console.log(`failed ${id} ${codeOf(error)}`),
    );
  }
  await broker.close();
} catch (error) {
  console.log(`refused ${codeOf(error)}`);
  process.exitCode = 5;
}
