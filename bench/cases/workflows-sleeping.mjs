import { setTimeout as sleep } from "node:timers/promises";
import { WORKFLOW_CONTENDERS } from "../contenders/index.mjs";
import { IDLE_SETTLE_MS, measureIdleCpu } from "../lib/measure.mjs";
import { percentile } from "../lib/statistics.mjs";
import { WorkflowScript } from "../lib/stem-sqlite.mjs";

const CONCURRENCY = 16;
const OUTSTANDING = 64;
const HOUR_MS = 3_600_000;
const PAGES = 60;
const LOOK_MS = 20;
/** Between the last start and the first end of a sleep. */
const WAKE_AFTER_MS = 3_000;
const SETTLE_MS = 500;

const wallClock = () => performance.timeOrigin + performance.now();
const inMb = (bytes) => bytes / 2 ** 20;

/** Runs that sleep until an instant of the wall clock, and runs that wait for an event; each tells when it goes on. */
function workflows(onWake) {
  const sleeper = new WorkflowScript({
    name: "sleeper",
    run: async (script) => {
      await script.sleep(Math.max(0, script.params.until - Date.now()));
      await script.step("woken", async () => onWake(script.params.i, wallClock() - script.params.until));
    },
  });
  const waiter = new WorkflowScript({
    name: "waiter",
    run: async (script) => {
      await script.waitForEvent(script.params.topic);
      await script.step("woken", async () => onWake(script.params.i, performance.now()));
    },
  });
  return { sleeper, waiter };
}

async function startAll({ runtime, store }, list) {
  let next = 0;
  const starter = async () => {
    while (next < list.length) {
      const { workflow, params } = list[next++];
      await runtime.startWorkflow(workflow, { params });
    }
  };
  await Promise.all(Array.from({ length: OUTSTANDING }, starter));
  // All of them are suspended once nothing is left that could be run.
  while ((await store.listRunnableRuns({ limit: 1 })).length + (await running(store)) > 0) await sleep(LOOK_MS);
}

async function running(store) {
  return (await store.listRuns({ status: "running", limit: 1 })).runs.length;
}

/** Milliseconds of each call, one after the other. */
async function time(call) {
  const samples = [];
  for (let i = 0; i < PAGES; i += 1) {
    const began = performance.now();
    await call(i);
    samples.push(performance.now() - began);
  }
  return { value: percentile(samples, 0.5), p99: `${percentile(samples, 0.99).toFixed(2)} ms` };
}

const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

function latencies(samples) {
  return { value: percentile(samples, 0.5), p99: `${percentile(samples, 0.99).toFixed(1)} ms` };
}

/** Emits one event for each of some runs, one after the other. */
async function emitToOne({ runtime }, woken, count) {
  const samples = [];
  for (let i = 0; i < count; i += 1) {
    const wake = new Promise((resolve) => woken.set(`one-${i}`, resolve));
    await sleep(LOOK_MS);
    const began = performance.now();
    const emitted = runtime.emit(`topic-${i}`, { i });
    samples.push((await wake) - began);
    await emitted;
  }
  return latencies(samples.slice(1));
}

/** Milliseconds until the first, the last, and the answer of one event that many runs wait for. */
async function emitToAll({ runtime }, woken, count) {
  const wakes = many(count, (i) => new Promise((resolve) => woken.set(`all-${i}`, resolve)));
  const began = performance.now();
  await runtime.emit("everybody", { isTime: true });
  const answered = performance.now() - began;
  const seen = (await Promise.all(wakes)).map((at) => at - began);
  return { answered, first: Math.min(...seen), last: Math.max(...seen) };
}

/** Sleeps that end evenly spread over some seconds, all of them stored before the first one ends. */
async function wakeAll(workplace, sleeper, woken, { waking, wakingMs }) {
  const from = Math.ceil(wallClock()) + WAKE_AFTER_MS;
  const wakes = many(waking, (i) => new Promise((resolve) => woken.set(`waking-${i}`, resolve)));
  const until = (i) => from + Math.floor((i * wakingMs) / waking);
  await startAll(
    workplace,
    many(waking, (i) => ({ workflow: sleeper, params: { i: `waking-${i}`, until: until(i) } })),
  );
  if (wallClock() > from) throw new Error("the machine is too slow: a sleep ended before the last one began");
  return latencies(await Promise.all(wakes));
}

/** Times of pages while everything waits. */
async function timePages({ store }, offset) {
  return {
    list: await time(() => store.listRuns({ limit: 50 })),
    listDeep: await time(() => store.listRuns({ workflow: "sleeper", status: "suspended", limit: 50, offset })),
    runnable: await time(() => store.listRunnableRuns({ limit: 50 })),
    watchers: await time(() => store.listWatchers("everybody", { limit: 50 })),
  };
}

const ms = (title, atMost) => ({
  title,
  unit: "ms",
  better: "lower",
  ...(atMost === undefined ? {} : { goal: { contender: WORKFLOW_CONTENDERS, atMost } }),
});

/** What it costs that many runs wait, and how they go on. */
export const workflowsSleeping = {
  name: "workflows-sleeping",
  group: "workflows",
  rounds: 1,
  contenders: WORKFLOW_CONTENDERS,
  metrics: {
    memoryBefore: { title: "memory before any run", unit: "MB RSS", better: "lower" },
    memory: { title: "memory while all runs wait", unit: "MB RSS", better: "lower" },
    memoryLater: { title: "the same, after the pages and the idle time", unit: "MB RSS", better: "lower" },
    cpu: { title: "CPU while all runs wait", unit: "% of a core", better: "lower" },
    list: ms("listRuns, the first 50", 10),
    listDeep: ms("listRuns by workflow and status, 50 from the middle", 10),
    runnable: ms("listRunnableRuns", 10),
    watchers: ms("listWatchers, 50 of one topic", 10),
    emitOne: ms("emit to the first line after the wait, one waits"),
    emitAllAnswer: ms("emit to its answer, all wait for it"),
    emitAllFirst: ms("emit to the first line after the wait, the first of all"),
    emitAllLast: ms("emit to the first line after the wait, the last of all"),
    lateness: ms("end of a sleep to the first line after it"),
  },
  sizes: {
    full: { sleeping: 9_000, waiting: 1_000, one: 100, waking: 1_000, wakingMs: 5_000, settle: IDLE_SETTLE_MS },
    quick: { sleeping: 1_800, waiting: 200, one: 20, waking: 200, wakingMs: 1_000, settle: SETTLE_MS },
  },
  async run(contender, directory, size) {
    const woken = new Map();
    const { sleeper, waiter } = workflows((i, value) => woken.get(i)?.(value));
    const workplace = await contender.openWorkflows(directory, {
      concurrency: CONCURRENCY,
      workflows: [sleeper, waiter],
    });
    await workplace.start();
    await sleep(SETTLE_MS);
    const rss = () => ({ value: inMb(process.memoryUsage.rss()) });
    const memoryBefore = rss();
    const until = wallClock() + HOUR_MS;
    await startAll(workplace, [
      ...many(size.sleeping, (i) => ({ workflow: sleeper, params: { i: `sleeping-${i}`, until: until + i } })),
      ...many(size.waiting, (i) => ({ workflow: waiter, params: { i: `all-${i}`, topic: "everybody" } })),
      ...many(size.one, (i) => ({ workflow: waiter, params: { i: `one-${i}`, topic: `topic-${i}` } })),
    ]);
    await sleep(size.settle);
    const memory = rss();
    const cpu = { value: await measureIdleCpu(size.settle) };
    const pages = await timePages(workplace, size.sleeping / 2);
    const memoryLater = rss();
    const lateness = await wakeAll(workplace, sleeper, woken, size);
    const emitOne = await emitToOne(workplace, woken, size.one);
    const all = await emitToAll(workplace, woken, size.waiting);
    await workplace.close();
    return {
      memoryBefore,
      memory,
      memoryLater,
      cpu,
      ...pages,
      emitOne,
      emitAllAnswer: { value: all.answered },
      emitAllFirst: { value: all.first },
      emitAllLast: { value: all.last },
      lateness,
    };
  },
};
