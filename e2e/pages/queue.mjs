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
/** Workers of engines that this page started, the last one first. */
const engines = [];
let file;
let stores;
let worker;
let begun;
/** When calls of `publishOn` were answered, and whether it goes on. */
let answers = [];
let isPublishing = false;

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
  /** Has the engine's worker take an order to hang. */
  configureToHang(thread) {
    const lines = [
      `import ${JSON.stringify(new URL(thread, location.href).href)};`,
      'addEventListener("message", ({ data: { hangFor } }) => {',
      "  for (const since = performance.now(); performance.now() - since < hangFor; );",
      "});",
    ];
    const url = URL.createObjectURL(new Blob(lines, { type: "text/javascript" }));
    const createWorker = () => {
      const engine = new Worker(url, { type: "module" });
      engines.unshift(engine);
      return engine;
    };
    configureBrowser({ createWorker });
  },
  hang: (forMs = 3_600_000) => engines[0].postMessage({ hangFor: forMs }),
  async open({ database = "jobs.sqlite", storage, ...connection } = {}) {
    file = database;
    const options = { logger, ...connection, ...(storage === undefined ? {} : { storage: DRIVERS[storage]() }) };
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
  role: async () => (await stores.broker.health()).role,
  /** Waits for messages that never come. */
  listen: () => void stores.broker.consume({ queues: ["silent"] }).next(),
  /** Publishes without end, so many calls at a time. */
  publishOn(atOnce) {
    isPublishing = true;
    const next = async () => {
      while (isPublishing) {
        await stores.broker.publish(createEnvelope({ name: "demo.hello" }));
        answers.push(performance.now());
      }
    };
    begun = Promise.all(Array.from({ length: atOnce }, next));
  },
  /** Forgets the answers but the last one; says who owns the database. */
  async markOwner() {
    const { owner } = await stores.broker.health();
    answers = answers.slice(-1);
    return owner.id;
  },
  /** The longest time without an answer since `markOwner`, once another owner has answered so many calls. */
  async gapAfter(former, count) {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    while ((await stores.broker.health()).owner.id === former) await pause();
    for (const enough = answers.length + count; answers.length < enough;) await pause();
    return Math.max(...answers.slice(1).map((at, index) => at - answers[index]));
  },
  /** Ends `publishOn`, and removes what it published. */
  async publishNoMore() {
    isPublishing = false;
    await begun;
    await stores.broker.purge("default");
  },
  async work() {
    worker = new StemWorker({ broker: stores.broker, backend: stores.backend, tasks: [hello] });
    await worker.start();
  },
  /** Asks for something that is waited for elsewhere. */
  begin(name, ...args) {
    begun = globalThis.queue[name](...args).then(
      (value) => ({ value }),
      ({ code }) => ({ code }),
    );
  },
  begun: async () => begun,
  /** What only this very page, and none that was loaded anew, remembers. */
  mark: (text) => void (begun = text),
  marked: () => begun,
  /** As a browser does that puts the page aside. */
  async stealLocks() {
    const { held } = await navigator.locks.query();
    const names = held.map(({ name }) => name).filter((name) => /^stem-sqlite \[[^ ]*\]$/.test(name));
    for (const name of names) await navigator.locks.request(name, { steal: true }, () => undefined);
    return names;
  },
  hasLocks: () => navigator.locks !== undefined,
  /** Enqueues until that fails without any effect, and says with which code. */
  async untilRefused() {
    for (;;) {
      try {
        await globalThis.queue.enqueue("refused");
      } catch (error) {
        if (error.outcome === "not-applied") return error.code;
      }
    }
  },
  /** Enqueues until that fails for good, and says with which code. */
  async untilFault() {
    for (;;) {
      try {
        await globalThis.queue.enqueue("more");
      } catch (error) {
        if (!error.retryable) return error.code;
      }
    }
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
