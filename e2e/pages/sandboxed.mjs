// A queue where there is no worker, no origin and no storage: bundled into one classic script.
import initSqlJs from "sql.js";
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import { sqlJsEngine } from "stem-sqlite/sqljs";
import { memoryStorage } from "stem-sqlite/storage/memory";

async function run() {
  const options = { storage: memoryStorage(), sqlEngine: sqlJsEngine({ initSqlJs }) };
  const broker = await SqliteBroker.open("jobs", options);
  const backend = await SqliteResultBackend.open("jobs", options);
  const greet = defineTask("greet", (_context, { who }) => `Hello ${String(who)}`);
  const worker = new Worker({ broker, backend, tasks: [greet] });
  await worker.start();
  const stem = new Stem({ broker, backend, tasks: [greet] });
  const id = await stem.enqueue("greet", { args: { who: "sandbox" } });
  const { value } = await stem.waitForTask(id);
  const { engine, storage } = await broker.health();
  await worker.shutdown();
  return { origin: globalThis.origin, result: value, engine: engine.name, storage: storage.name };
}

run().then(
  (told) => globalThis.parent.postMessage(told, "*"),
  (error) => globalThis.parent.postMessage({ error: String(error) }, "*"),
);
