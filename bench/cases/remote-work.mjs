import { setTimeout as sleep } from "node:timers/promises";
import { IDLE_SETTLE_MS } from "../lib/measure.mjs";
import { withParticipants } from "../lib/participants.mjs";
import { sharedNow } from "../lib/roles.mjs";
import { percentile } from "../lib/statistics.mjs";

const STORES = ["stem-full", "stem-full-one-file", "stem-no-backend"];
/** Longer than it takes until a member makes ready to be the owner. */
const SETTLE_MS = 2_500;
const LOOK_MS = 20;
/** The first ones after the rush that compiles the code. */
const LEFT_OUT = 10;
const OUTSTANDING = 16;
const CONCURRENCY = 10;

/** The same gaps in every run, 50 to 100 ms: evenly spread by the golden ratio. */
const gapsFor = (count) => Array.from({ length: count }, (_, i) => 50 + 50 * ((i * 0.618_034) % 1));

/** Resolves once the workers have done `jobs` tasks together, to when the last one was done. */
async function untilDone(workers, jobs) {
  for (;;) {
    const seen = await Promise.all(workers.map((worker) => worker.call("progress")));
    if (seen.reduce((sum, { count }) => sum + count, 0) >= jobs) return Math.max(...seen.map(({ last }) => last));
    await sleep(LOOK_MS);
  }
}

/** Milliseconds from asking for each task to its first line, in whatever process that ran. */
async function startLatencies(producer, worker, { samples, compiled }) {
  await sleep(SETTLE_MS);
  await producer.call("enqueueMany", 0, compiled, 1);
  await untilDone([worker], compiled);
  await sleep(SETTLE_MS / 4);
  const asked = await producer.call("enqueueAtIntervals", compiled, gapsFor(LEFT_OUT + samples));
  await sleep(SETTLE_MS / 4);
  const begun = new Map((await worker.call("takeBegun")).map(([at, i]) => [i, at]));
  if (asked.some(([, i]) => !begun.has(i))) throw new Error("not all tasks have started");
  return asked.slice(LEFT_OUT).map(([at, i]) => begun.get(i) - at);
}

function latencySummary(samples) {
  const longest = percentile(samples, 1).toFixed(2);
  return {
    value: percentile(samples, 0.5),
    p99: `${percentile(samples, 0.99).toFixed(2)} ms, longest ${longest}`,
  };
}

/** From the call of `enqueue` in one process to the start of the handler in another one that has nothing to do. */
export const remoteStart = {
  name: "remote-start",
  rounds: 3,
  contenders: STORES,
  metrics: {
    owner: {
      title: "enqueue to start, idle worker in another process, which owns the file",
      unit: "ms",
      better: "lower",
      goal: { contender: STORES, atMost: 1 },
    },
    member: {
      title: "enqueue to start, idle worker in another process, a third one owns the file",
      unit: "ms",
      better: "lower",
      goal: { contender: STORES, atMost: 1 },
    },
  },
  sizes: { full: { samples: 120, compiled: 3_000 }, quick: { samples: 30, compiled: 300 } },
  async run(_contender, directory, size, { name }) {
    const common = { contender: name, directory };
    const worker = { ...common, role: "worker" };
    const producer = { ...common, role: "producer" };
    const idler = { ...common, role: "worker", options: { queue: "idle" } };
    const measure = (cast) =>
      withParticipants(cast, (participants) => startLatencies(participants.at(-1), participants.at(-2), size));
    return {
      owner: latencySummary(await measure([worker, producer])),
      member: latencySummary(await measure([idler, worker, producer])),
    };
  },
};

/** Several processes enqueue while two others work: from the first enqueue until the last handler has returned. */
function processesWorkCase(producers) {
  return {
    name: `processes-work-${producers}`,
    group: "processes-work",
    rounds: 3,
    contenders: [...STORES, "plainjob-full"],
    metrics: {
      rate: {
        title: `${producers} enqueuing and 2 working processes, end to end`,
        unit: "jobs/s",
        better: "higher",
      },
    },
    sizes: { full: { jobs: 12_000, warmup: 2_000 }, quick: { jobs: 1_600, warmup: 400 } },
    async run(_contender, directory, { jobs, warmup }, { name }) {
      const common = { contender: name, directory };
      const worker = { ...common, role: "worker", options: { concurrency: CONCURRENCY } };
      const cast = [worker, worker, ...Array.from({ length: producers }, () => ({ ...common, role: "producer" }))];
      return withParticipants(cast, async (participants) => {
        const workers = participants.slice(0, 2);
        const enqueue = (first, count) =>
          Promise.all(
            participants
              .slice(2)
              .map((one, i) =>
                one.call("enqueueMany", first + (i * count) / producers, count / producers, OUTSTANDING),
              ),
          );
        await enqueue(0, warmup);
        await untilDone(workers, warmup);
        const start = sharedNow();
        const [last] = await Promise.all([untilDone(workers, warmup + jobs), enqueue(warmup, jobs)]);
        return { rate: { value: (jobs * 1_000) / (last - start) } };
      });
    },
  };
}

export const processesWorkCases = [1, 2, 4].map(processesWorkCase);

/** What two idle workers cost that share a store: the one that owns it, and the one that does not. */
export const processesIdle = {
  name: "processes-idle",
  rounds: 2,
  contenders: [...STORES, "plainjob-full"],
  metrics: {
    ownerCpu: {
      title: "two idle workers: CPU of the first, the owner",
      unit: "% of a core",
      better: "lower",
      goal: { contender: STORES, atMost: 0.1 },
    },
    memberCpu: {
      title: "two idle workers: CPU of the second, a member",
      unit: "% of a core",
      better: "lower",
      goal: { contender: STORES, atMost: 0.1 },
    },
    ownerMemory: { title: "two idle workers: memory of the first", unit: "MB RSS", better: "lower" },
    memberMemory: { title: "two idle workers: memory of the second", unit: "MB RSS", better: "lower" },
  },
  sizes: { full: { ms: 20_000, settle: IDLE_SETTLE_MS }, quick: { ms: 2_000, settle: SETTLE_MS } },
  async run(_contender, directory, { ms, settle }, { name }) {
    const worker = { role: "worker", contender: name, directory };
    return withParticipants([worker, worker], async (participants) => {
      const ask = (method) => Promise.all(participants.map((one) => one.call(method)));
      await sleep(settle);
      // Whoever is asked wakes up: the first answers are not counted.
      await ask("cpu");
      const before = await ask("cpu");
      const began = performance.now();
      await sleep(ms);
      const elapsed = performance.now() - began;
      const cpu = (await ask("cpu")).map((after, i) => ((after - before[i]) / elapsed) * 100);
      const memory = await ask("memory");
      return {
        ownerCpu: { value: cpu[0] },
        memberCpu: { value: cpu[1] },
        ownerMemory: { value: memory[0] },
        memberMemory: { value: memory[1] },
      };
    });
  },
};
