// stem-sqlite as a contender: full or relaxed durability, broker and result backend in two files or in one.
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

const QUEUES = ["alpha", "beta", "gamma"];

/** Names the files of a store; one file holds both when `oneFile` is set. */
function filesIn(directory, oneFile) {
  const broker = join(directory, "queue.sqlite");
  return { broker, backend: oneFile ? broker : join(directory, "results.sqlite") };
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
  const broker = await SqliteBroker.open(filesIn(directory, true).broker, { durability, logger: silentLogger });
  return {
    isAsync: true,
    publish: (i) => broker.publish(jobEnvelope(i)),
    publishTogether: (from, count) => Promise.all(range(from, count, (i) => broker.publish(jobEnvelope(i)))),
    publishBulk: (from, count) => broker.publishAll(range(from, count, jobEnvelope)),
    publishBacklog: (from, count) => broker.publishAll(range(from, count, backlogEnvelope)),
    claims: (prefetch) => openClaims(broker, { queues: ["default"] }, prefetch),
    backlogClaims: () => openClaims(broker, { queues: QUEUES }, 1),
    backlogQueues: QUEUES,
    engineFile: filesIn(directory, true).broker,
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

/** Producer, worker and result backend; every result is stored. */
async function openWorkplace(
  directory,
  { durability, oneFile, concurrency = 1, onStart = () => {}, onDone = () => {} },
) {
  const files = filesIn(directory, oneFile);
  const [broker, backend] = await Promise.all([
    SqliteBroker.open(files.broker, { durability, logger: silentLogger }),
    SqliteResultBackend.open(files.backend, { durability, logger: silentLogger }),
  ]);
  const task = defineTask("job", async (_context, args) => {
    onStart(args.i);
    onDone(args.i);
    return { ok: true };
  });
  const stem = new Stem({ broker, backend, tasks: [task] });
  const worker = new Worker({ broker, backend, tasks: [task], concurrency });
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
      await backend.close();
      await broker.close();
    },
  };
}

export function stemContender({ durability, oneFile }) {
  return {
    polls: false,
    openQueue: (directory) => openQueue(directory, { durability }),
    openWorkplace: (directory, options) => openWorkplace(directory, { ...options, durability, oneFile }),
  };
}
