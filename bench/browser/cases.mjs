// What is measured in the page, on stores that are open there. Each case returns jobs per second, and the p99 of one
// call in milliseconds where calls are made.
import { createEnvelope, defineTask, Stem, Worker } from "stem-sqlite";

const FILL = 1_000;

const range = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const job = (queue) => (i) => createEnvelope({ name: "job", queue, args: { i } });

function p99(times) {
  return times.toSorted((one, other) => one - other)[Math.ceil(times.length * 0.99) - 1];
}

/** Makes calls for a while, `atOnce` of them started together, after some that are not counted. */
function calls(title, atOnce, jobs, call) {
  return {
    title,
    async run(stores, { warmupMs, ms }) {
      const round = () => Promise.all(range(atOnce, () => call(stores)));
      for (const until = performance.now() + warmupMs; performance.now() < until;) await round();
      const times = [];
      const start = performance.now();
      for (let before = start; before < start + ms;) {
        await round();
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
      const elapsed = performance.now() - start;
      return { perSecond: (times.length * atOnce * jobs * 1_000) / elapsed, p99: p99(times) };
    },
  };
}

function publish(title, atOnce) {
  const make = job("published");
  return calls(title, atOnce, 1, ({ broker }) => broker.publish(make(1)));
}

/** Works off messages, of which `prefetch` are held at a time; the first tenth is not counted. */
function claimAck(prefetch) {
  const queue = `claimed-${prefetch}`;
  return {
    title: `claim and ack, prefetch ${prefetch}`,
    async run({ broker }, { each, together }) {
      const count = prefetch > 1 ? together : each;
      for (let filled = 0; filled < count; filled += FILL) await broker.publishAll(range(FILL, job(queue)));
      const acks = [];
      let start = 0;
      for await (const delivery of broker.consume({ queues: [queue] }, { prefetch })) {
        acks.push(broker.ack(delivery));
        if (acks.length === count / 10) start = performance.now();
        if (acks.length === count) break;
      }
      await Promise.all(acks);
      return { perSecond: (count * 0.9 * 1_000) / (performance.now() - start) };
    },
  };
}

/** A worker empties a backlog; results are stored. */
function endToEnd(concurrency) {
  return {
    title: `end to end, concurrency ${concurrency}, result stored`,
    async run(stores, { together }) {
      const queue = `worked-${concurrency}`;
      let done = 0;
      let start = 0;
      let finish;
      const finished = new Promise((resolve) => (finish = resolve));
      const task = defineTask(
        "job",
        async () => {
          done += 1;
          if (done === together / 10) start = performance.now();
          if (done === together) finish();
          return { ok: true };
        },
        { queue },
      );
      const stem = new Stem({ ...stores, tasks: [task] });
      const ids = [];
      while (ids.length < together) {
        ids.push(...(await stem.enqueueAll(range(FILL, (i) => ({ name: "job", args: { i } })))));
      }
      const worker = new Worker({ ...stores, tasks: [task], concurrency, queue });
      await worker.start();
      await finished;
      await worker.shutdown();
      const elapsed = performance.now() - start;
      const last = await stores.backend.get(ids.at(-1));
      if (last?.state !== "succeeded") throw new Error("A result is missing.");
      return { perSecond: (together * 0.9 * 1_000) / elapsed };
    },
  };
}

const thousand = () => range(1_000, job("published"));

/** By name, in the order of the table. */
export const CASES = {
  "publish-one": publish("publish one by one", 1),
  "publish-16": publish("publish, 16 calls at once", 16),
  "publish-64": publish("publish, 64 calls at once", 64),
  "publish-100": publish("publish, 100 calls at once", 100),
  "bulk-1000": calls("publish in bulk, 1,000 a call", 1, 1_000, ({ broker }) => broker.publishAll(thousand())),
  "claim-ack-1": claimAck(1),
  "claim-ack-100": claimAck(100),
  "end-to-end-10": endToEnd(10),
};

/** How much of it: milliseconds of calls, and jobs to work off one by one, and together. */
export const SIZES = {
  full: { warmupMs: 500, ms: 1_500, each: 1_000, together: 5_000 },
  quick: { warmupMs: 200, ms: 500, each: 1_000, together: 1_000 },
};
