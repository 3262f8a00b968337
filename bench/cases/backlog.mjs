import { QUEUE_CONTENDERS } from "../contenders/index.mjs";
import { measureEngineClaims } from "../lib/engine-claims.mjs";
import { percentile } from "../lib/statistics.mjs";

const CLAIMS = 300;
/** Code is compiled well only after some hundred calls. A small backlog would be used up by so many. */
const warmupFor = (jobs) => (jobs >= 10_000 ? 1_000 : 50);
/** The engine's own measurement gives back what it warms up with. */
const ENGINE_WARMUP = 2_000;
const FILL_CHUNK = 1_000;

const inMicroseconds = (ms) => Math.round(ms * 1_000);

/** Milliseconds from each acknowledgement to the next delivery in the consumer's hands. */
async function ackToNext(claims, warmup) {
  const samples = [];
  let delivery = await claims.next();
  for (let i = 0; i < warmup + CLAIMS; i += 1) {
    const start = performance.now();
    const acknowledged = claims.acknowledge(delivery);
    delivery = await claims.next();
    await acknowledged;
    if (i >= warmup) samples.push(performance.now() - start);
  }
  await claims.acknowledge(delivery);
  return samples;
}

/** Milliseconds of the peer's bare claim, which is one synchronous call. */
function claimCalls(claims, warmup) {
  const samples = [];
  for (let i = 0; i < warmup + CLAIMS; i += 1) {
    const start = performance.now();
    const job = claims.claim();
    if (i >= warmup) samples.push(performance.now() - start);
    claims.acknowledge(job);
  }
  return samples;
}

function summary(samples) {
  return {
    value: inMicroseconds(percentile(samples, 0.5)),
    p99: `${inMicroseconds(percentile(samples, 0.99))} us`,
  };
}

/**
 * One claim out of a backlog of ten priorities, three queues, and a tenth delayed. The store is filled by
 * another process, so that what the filling leaves in memory is not counted.
 */
function backlogCase(jobs, label, rounds, quick) {
  return {
    name: `backlog-${label}`,
    rounds,
    skipWhenQuick: !quick,
    contenders: QUEUE_CONTENDERS,
    metrics: {
      engine: {
        title: `claim at ${label}: its transaction alone, in the engine, never flushed`,
        unit: "us",
        better: "lower",
        goal: { contender: "stem-relaxed", atMost: 40 },
      },
      claim: { title: `claim at ${label}: from ack to next delivery, all included`, unit: "us", better: "lower" },
      memory: {
        title: `memory of the claiming process at ${label}`,
        unit: "MB RSS",
        better: "lower",
        goal: label === "1M" ? { contender: "stem-full", atMost: 120 } : undefined,
      },
    },
    sizes: { full: { jobs }, quick: { jobs } },
    async prepare(contender, directory, size) {
      const queue = await contender.openQueue(directory);
      for (let from = 0; from < size.jobs; from += FILL_CHUNK) await queue.publishBacklog(from, FILL_CHUNK);
      await queue.close();
    },
    async run(contender, directory, { jobs: backlog }, { mode }) {
      const warmup = warmupFor(backlog);
      const queue = await contender.openQueue(directory);
      const claims = queue.backlogClaims();
      const claim = summary(await ackToNext(claims, warmup));
      const memory = { value: process.memoryUsage.rss() / 2 ** 20 };
      const calls = mode === "NORMAL" && claims.claim !== undefined ? claimCalls(claims, warmup) : undefined;
      await claims.close();
      await queue.close();
      if (mode !== "NORMAL") return { claim, memory };
      const samples =
        calls ??
        (await measureEngineClaims(queue.engineFile, {
          queues: queue.backlogQueues,
          warmup: ENGINE_WARMUP,
          claims: CLAIMS,
        }));
      return { engine: summary(samples), claim, memory };
    },
  };
}

export const backlog1k = backlogCase(1_000, "1k", 3, true);
export const backlog100k = backlogCase(100_000, "100k", 3, false);
export const backlog1M = backlogCase(1_000_000, "1M", 3, false);
