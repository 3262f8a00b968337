// stem-sqlite as a contender: full or relaxed durability; broker and result backend in two files, in one, or no backend.
import { join } from "node:path";
import {
  createEnvelope,
  defineTask,
  silentLogger,
  SqliteBroker,
  SqliteResultBackend,
  Stem,
  Worker,
} from "../lib/stem-sqlite.mjs";
import { openWorkflows } from "./stem-workflows.mjs";

const QUEUES = ["alpha", "beta", "gamma"];

/** Names the files of a store. */
function filesIn(directory, backend) {
  const broker = join(directory, "queue.sqlite");
  return { broker, backend: { apart: join(directory, "results.sqlite"), same: broker }[backend] };
}

function jobEnvelope(i) {
  return createEnvelope({ name: "job", args: { i } });
}

/** An envelope of the mixed backlog: ten priorities, three queues, every tenth message delayed by an hour. */
function backlogEnvelope(i) {
  return createEnvelope({
    name: "job",
    args: { i },
    queue: QUEUES[i % QUEUES.length],
    priority: (i * 7) % 10,
    ...(i % 10 === 9 ? { notBefore: new Date(Date.now() + 3_600_000) } : {}),
  });
}

function range(from, count, make) {
  return Array.from({ length: count }, (_, offset) => make(from + offset));
}

/** A queue without workers: what producers and bare consumers do. */
async function openQueue(directory, { durability }) {
  const broker = await SqliteBroker.open(filesIn(directory, "none").broker, { durability, logger: silentLogger });
  return {
    isAsync: true,
    publish: (i) => broker.publish(jobEnvelope(i)),
    publishTogether: (from, count) => Promise.all(range(from, count, (i) => broker.publish(jobEnvelope(i)))),
    publishBulk: (from, count) => broker.publishAll(range(from, count, jobEnvelope)),
    publishBacklog: (from, count) => broker.publishAll(range(from, count, backlogEnvelope)),
    claims: (prefetch) => openClaims(broker, { queues: ["default"] }, prefetch),
    backlogClaims: () => openClaims(broker, { queues: QUEUES }, 1),
    backlogQueues: QUEUES,
    engineFile: filesIn(directory, "none").broker,
    close: () => broker.close(),
  };
}

function openClaims(broker, subscription, prefetch) {
  const consumer = broker.consume(subscription, { prefetch });
  return {
    next: async () => (await consumer.next()).value,
    acknowledge: (delivery) => broker.ack(delivery),
    close: () => consumer.return(),
  };
}

/** Broker and, where there is one, result backend. */
async function openStores(files, options) {
  const [broker, backend] = await Promise.all([
    SqliteBroker.open(files.broker, options),
    files.backend === undefined ? undefined : SqliteResultBackend.open(files.backend, options),
  ]);
  return { broker, ...(backend === undefined ? {} : { backend }) };
}

/** Producer, worker and result backend; every result is stored. */
async function openWorkplace(
  directory,
  { durability, backend: place, concurrency = 1, queue = "default", onStart = () => {}, onDone = () => {} },
) {
  const stores = await openStores(filesIn(directory, place), { durability, logger: silentLogger });
  const { broker, backend } = stores;
  const task = defineTask("job", async (_context, args) => {
    onStart(args.i);
    onDone(args.i);
    return { ok: true };
  });
  const stem = new Stem({ ...stores, tasks: [task] });
  const worker = new Worker({ ...stores, tasks: [task], concurrency, queue });
  return {
    enqueue: (i) => stem.enqueue("job", { args: { i } }),
    enqueueBulk: (from, count) => stem.enqueueAll(range(from, count, (i) => ({ name: "job", args: { i } }))),
    start: () => worker.start(),
    /** Resolves once everything that was begun is finished and stored. */
    stop: () => worker.shutdown(),
    countResults: async (ids) => {
      const statuses = await Promise.all(ids.map((id) => backend.get(id)));
      return statuses.filter((status) => status?.state === "succeeded" && status.payload.ok === true).length;
    },
    async close() {
      await stem.close();
      await backend?.close();
      await broker.close();
    },
  };
}

export function stemContender({ durability, backend }) {
  return {
    polls: false,
    openQueue: (directory) => openQueue(directory, { durability }),
    openWorkplace: (directory, options) => openWorkplace(directory, { ...options, durability, backend }),
    openWorkflows: (directory, options) => openWorkflows(directory, { ...options, durability }),
  };
}
