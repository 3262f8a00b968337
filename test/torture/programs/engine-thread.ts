// Uses a database through the engine's thread and then does what its second argument says. Nothing here ends the
// process: whether and when it ends is what the tests look at.
import type { Worker } from "node:worker_threads";
import { createEnvelope, SqliteBroker, StemError } from "stem-sqlite";

const [file = "", mode = ""] = process.argv.slice(2);
let engine: Worker | undefined;
process.on("worker", (worker) => (engine = worker));

// No clean-up that would call the engine by itself.
const broker = await SqliteBroker.open(file, { sweeperInterval: 0 });
console.log(`engine in a thread: ${engine !== undefined}`);
// Opened, and never called: nothing but the opening itself has to let go of the process.
if (mode !== "untouched") await broker.publish(createEnvelope({ id: "first", name: "work" }));

async function takeOne(): Promise<void> {
  for await (const delivery of broker.consume({ queues: ["default"] })) {
    await broker.ack(delivery);
    console.log(`acknowledged ${delivery.envelope.id}`);
    break;
  }
}

/** Says how a call that the engine's end met has settled. */
async function settled(name: string, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => "resolved",
    (error: unknown) =>
      error instanceof StemError ? `${error.code}, outcome ${error.outcome}` : `untyped: ${String(error)}`,
  );
  console.log(`${name}: ${outcome}`);
}

async function crash(end: () => unknown): Promise<void> {
  await takeOne();
  const consumer = broker.consume({ queues: ["default"] });
  const waiting = consumer.next();
  await broker.pendingCount("default");
  await settled("pending call", endWith(end));
  await settled("later call", broker.publish(createEnvelope({ name: "work" })));
  await settled("waiting consumer", waiting);
  await settled("close", broker.close());
  const again = await SqliteBroker.open(file);
  await again.publish(createEnvelope({ id: "second", name: "work" }));
  console.log(`open again, pending: ${await again.pendingCount("default")}`);
  await again.close();
}

/** The call is under way when the engine ends: it has been sent in this turn and cannot be answered in it. */
async function endWith(end: () => unknown): Promise<unknown> {
  const call = broker.publish(createEnvelope({ name: "work" }));
  await Promise.resolve();
  end();
  return call;
}

const modes: Readonly<Record<string, () => Promise<void>>> = {
  async close() {
    await takeOne();
    await broker.close();
    console.log("closed");
  },
  idle: takeOne,
  async wait() {
    await takeOne();
    await broker.publish(createEnvelope({ id: "later", name: "work", notBefore: new Date(Date.now() + 400) }));
    await takeOne();
  },
  terminate: () => crash(() => engine?.terminate()),
  // Not a message of the protocol: reading it throws in the engine's thread, as any fault of ours would.
  fault: () => crash(() => engine?.postMessage({ type: "calls", batch: 7 })),
};
await modes[mode]?.();
console.log("end of program");
