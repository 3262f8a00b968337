// Opens a database with a short patience, and publishes one message for each line it reads: says "published" and its id,
// or "failed", its id and the code of the error. The line "take" has it take one message instead, and end it. Closes
// when its input ends. Argument: the database.
import { createInterface } from "node:readline";
import { createEnvelope, SqliteBroker, StemError } from "stem-sqlite";

const codeOf = (error: unknown): string => (error instanceof StemError ? error.code : String(error));

const [file = ""] = process.argv.slice(2);
try {
  const broker = await SqliteBroker.open(file, { ownerTimeout: 500, logger: { log: () => undefined } });
  console.log("open");
  const take = async (): Promise<string> => {
    const consumer = broker.consume({ queues: ["default"] });
    const { value } = await consumer.next();
    if (value !== undefined) await broker.ack(value);
    await consumer.return();
    return `took ${value?.envelope.id} ${value?.deliveries}`;
  };
  const publish = async (id: string): Promise<string> => {
    await broker.publish(createEnvelope({ id, name: "patient" }));
    return `published ${id}`;
  };
  for await (const id of createInterface({ input: process.stdin })) {
    await (id === "take" ? take() : publish(id)).then(
      (said) => console.log(said),
      (error: unknown) => console.log(`failed ${id} ${codeOf(error)}`),
    );
  }
  await broker.close();
} catch (error) {
  console.log(`refused ${codeOf(error)}`);
  process.exitCode = 5;
}
