// What the tests do in a page: `queue.<name>(...)`, with JSON values in and out.
import { createEnvelope, defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker as StemWorker } from "stem-sqlite";
import { configureBrowser } from "stem-sqlite/browser";
import { browserStorage } from "stem-sqlite/storage/browser";
import { indexedDbStorage } from "stem-sqlite/storage/indexeddb";
import { opfsStorage } from "stem-sqlite/storage/opfs";

const DRIVERS = { indexeddb: indexedDbStorage, opfs: opfsStorage };
const logs = [];
const logger = { log: (level, message) => void logs.push(`${level}: ${message}`) };
const hello = defineTask("demo.hello", async (_context, { name }) => `Hello ${String(name)}`);
let file;
let stores;
let worker;

/** Text that no database can make smaller. */
function noise(size) {
  const parts = [];
  for (let length = 0; length < size; length += 50_000) {
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(50_000, size - length)));
    parts.push(String.fromCharCode(...bytes.map((byte) => 40 + (byte % 50))));
  }
  return parts.join("");
}

globalThis.queue = {
  configure: (options) => configureBrowser(options),
  /** Has the engine's worker miss what it needs for files of the browser. */
  configureWithoutFiles(thread) {
    const lines = [
      `import ${JSON.stringify(new URL(thread, location.href).href)};`,
      "delete FileSystemFileHandle.prototype.createSyncAccessHandle;",
    ];
    const url = URL.createObjectURL(new Blob(lines, { type: "text/javascript" }));
    configureBrowser({ createWorker: () => new Worker(url, { type: "module" }) });
  },
  async open({ database = "jobs.sqlite", storage, engine = "auto" } = {}) {
    file = database;
    const options = { logger, engine, ...(storage === undefined ? {} : { storage: DRIVERS[storage]() }) };
    const broker = await SqliteBroker.open(file, options);
    const backend = await SqliteResultBackend.open(file, options);
    stores = { broker, backend, stem: new Stem({ broker, backend, tasks: [hello] }) };
  },
  enqueue: async (...names) => Promise.all(names.map((name) => stores.stem.enqueue("demo.hello", { args: { name } }))),
  /** Publishes one after the other; says how many were acknowledged, and with which code the others failed. */
  async fill(count, size) {
    const failed = [];
    let acknowledged = 0;
    for (let index = 0; index < count && failed.length < 3; index++) {
      const name = noise(size);
      try {
        await stores.broker.publish(createEnvelope({ name: "demo.hello", args: { name } }));
        acknowledged += 1;
      } catch (error) {
        failed.push(error.code);
      }
    }
    return { acknowledged, failed };
  },
  async work() {
    worker = new StemWorker({ broker: stores.broker, backend: stores.backend, tasks: [hello] });
    await worker.start();
  },
  result: async (id) => (await stores.stem.waitForTask(id)).value,
  pending: async () => stores.broker.pendingCount("default"),
  async close() {
    await worker?.shutdown();
    await stores.backend.close();
    await stores.broker.close();
  },
  backend: async () => browserStorage().backendOf(file),
  logs: () => logs,
  locks: async () => (await navigator.locks.query()).held.map(({ name }) => name),
};
