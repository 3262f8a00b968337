import { setTimeout as sleep } from "node:timers/promises";
import { gaps, IDLE_SETTLE_MS, measureIdleCpu } from "../lib/measure.mjs";
import { percentile } from "../lib/statistics.mjs";

const SETTLE_MS = 1_000;
const POLL_MS = 1_000;
const FULL_MODES = ["stem-full", "stem-full-one-file", "plainjob-full", "stem-relaxed"];

/** From the call of `enqueue` to the start of the handler, in a worker of the same process that has nothing to do. */
export const enqueueToStart = {
  name: "enqueue-to-start",
  rounds: 3,
  contenders: FULL_MODES,
  metrics: {
    latency: {
      title: "enqueue to start, idle worker in the same process",
      unit: "ms",
      better: "lower",
      goal: { contender: ["stem-full", "stem-full-one-file"], atMost: 0.3 },
    },
  },
  sizes: { full: { samples: 200, polled: 15 }, quick: { samples: 40, polled: 2 } },
  async run(contender, directory, { samples, polled }) {
    const count = contender.polls ? polled : samples;
    const warmup = contender.polls ? 1 : 20;
    const started = new Map();
    const workplace = await contender.openWorkplace(directory, {
      onStart: (i) => started.get(i)?.(performance.now()),
    });
    await workplace.start();
    await sleep(SETTLE_MS / 4);
    const gap = gaps(contender.polls ? POLL_MS : 30);
    const latencies = [];
    for (let i = 0; i < warmup + count; i += 1) {
      await sleep(gap.next().value);
      const start = new Promise((resolve) => started.set(i, resolve));
      const called = performance.now();
      const enqueued = workplace.enqueue(i);
      latencies.push((await start) - called);
      await enqueued;
    }
    await workplace.stop();
    await workplace.close();
    const counted = latencies.slice(warmup);
    return { latency: { value: percentile(counted, 0.5), p99: `${percentile(counted, 0.99).toFixed(2)} ms` } };
  },
};

/** What a worker that waits costs. */
export const idleWorker = {
  name: "idle",
  rounds: 2,
  contenders: FULL_MODES,
  metrics: {
    cpu: {
      title: "idle worker: CPU while it waits",
      unit: "% of a core",
      better: "lower",
      goal: { contender: ["stem-full", "stem-full-one-file"], atMost: 0.1 },
    },
    memory: { title: "idle worker: memory", unit: "MB RSS", better: "lower" },
  },
  sizes: { full: { ms: 10_000 }, quick: { ms: 1_500 } },
  async run(contender, directory, { ms }) {
    const finished = [];
    const workplace = await contender.openWorkplace(directory, { onDone: (i) => finished.push(i) });
    await workplace.start();
    await workplace.enqueue(1);
    await sleep(ms < 10_000 ? SETTLE_MS : IDLE_SETTLE_MS);
    const cpu = await measureIdleCpu(ms);
    const memory = process.memoryUsage.rss() / 2 ** 20;
    await workplace.stop();
    await workplace.close();
    if (finished.length !== 1) throw new Error("the worker did not work");
    return { cpu: { value: cpu }, memory: { value: memory } };
  },
};
