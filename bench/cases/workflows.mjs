import { setTimeout as sleep } from "node:timers/promises";
import { WORKFLOW_CONTENDERS } from "../contenders/index.mjs";
import { gaps, startCpuClock } from "../lib/measure.mjs";
import { percentile } from "../lib/statistics.mjs";
import { Flow } from "../lib/stem-sqlite.mjs";

const OUTSTANDING = 64;
const CHECKED_RUNS = 200;
const SETTLE_MS = 250;
const WARMUP_STARTS = 20;

/** Three steps that each get what the one before returned; asynchronous, and doing nothing. */
function threeSteps(onStart = () => {}) {
  return new Flow({
    name: "three-steps",
    build: (flow) =>
      flow
        .step("one", async ({ params }) => {
          onStart(params.i);
          return { i: params.i };
        })
        .step("two", async ({ previousResult }) => previousResult)
        .step("three", async ({ previousResult }) => previousResult),
  });
}

/** Starts runs with several calls outstanding; resolves to their ids when all are stored. */
async function startMany(runtime, flow, from, count) {
  const ids = [];
  let next = from;
  const starter = async () => {
    while (next < from + count) ids.push(await runtime.startWorkflow(flow, { params: { i: next++ } }));
  };
  await Promise.all(Array.from({ length: OUTSTANDING }, starter));
  return ids;
}

/** A figure without the runs is worth nothing. */
async function checkRuns(store, ids) {
  const step = Math.max(1, Math.floor(ids.length / CHECKED_RUNS));
  for (const id of ids.filter((_, index) => index % step === 0)) {
    const [run, steps] = await Promise.all([store.get(id), store.listSteps(id)]);
    if (run?.status !== "completed" || !Number.isInteger(run.result?.i) || steps.length !== 3) {
      throw new Error(`run ${id} is ${JSON.stringify(run)}, with ${steps.length} steps`);
    }
  }
}

/** From the first start to the end of the last run, started and run at the same time by one process. */
function workflowsCase(concurrency, sizes, goal) {
  return {
    name: `workflows-3-steps-${concurrency}`,
    group: "workflows",
    rounds: 3,
    contenders: WORKFLOW_CONTENDERS,
    metrics: {
      rate: {
        title: `workflows of 3 steps, started and run, concurrency ${concurrency}`,
        unit: "workflows/s",
        better: "higher",
        goal,
      },
    },
    sizes,
    async run(contender, directory, { runs }) {
      const flow = threeSteps();
      const workplace = await contender.openWorkflows(directory, { concurrency, workflows: [flow] });
      let completed = 0;
      let expected = Number.POSITIVE_INFINITY;
      let finish;
      workplace.runtime.on("completed", () => {
        completed += 1;
        if (completed === expected) finish();
      });
      const work = async (from, count) => {
        const finished = new Promise((resolve) => (finish = resolve));
        expected = from + count;
        const [ids] = await Promise.all([startMany(workplace.runtime, flow, from, count), finished]);
        return ids;
      };
      await workplace.start();
      const warmup = runs / 5;
      await work(0, warmup);
      const cpu = startCpuClock();
      const began = performance.now();
      const ids = await work(warmup, runs);
      const ms = performance.now() - began;
      const cpuUs = cpu() / runs;
      await checkRuns(workplace.store, ids);
      await workplace.close();
      return { rate: { value: (runs * 1_000) / ms, cpuUs } };
    },
  };
}

const GOAL = { contender: WORKFLOW_CONTENDERS, atLeast: 1_500 };

export const workflowCases = [
  workflowsCase(1, { full: { runs: 2_000 }, quick: { runs: 500 } }),
  workflowsCase(10, { full: { runs: 8_000 }, quick: { runs: 1_000 } }, GOAL),
  workflowsCase(64, { full: { runs: 10_000 }, quick: { runs: 2_000 } }, GOAL),
];

/** From the call of `startWorkflow` to the first line of the first step, in a worker that has nothing to do. */
export const workflowStart = {
  name: "workflow-start",
  group: "workflows",
  rounds: 3,
  contenders: WORKFLOW_CONTENDERS,
  metrics: {
    latency: {
      title: "startWorkflow to the first line of the first step, idle worker in the same process",
      unit: "ms",
      better: "lower",
      goal: { contender: WORKFLOW_CONTENDERS, atMost: 2 },
    },
    whole: { title: "startWorkflow to the end of the third step's commit, idle worker", unit: "ms", better: "lower" },
  },
  sizes: { full: { samples: 300 }, quick: { samples: 60 } },
  async run(contender, directory, { samples }) {
    const began = new Map();
    const ended = new Map();
    const flow = threeSteps((i) => began.get(i)?.(performance.now()));
    const workplace = await contender.openWorkflows(directory, { workflows: [flow] });
    workplace.runtime.on("completed", ({ runId }) => ended.get(runId)?.(performance.now()));
    await workplace.start();
    await sleep(SETTLE_MS);
    const gap = gaps(30);
    const latencies = [];
    const wholes = [];
    for (let i = 0; i < WARMUP_STARTS + samples; i += 1) {
      await sleep(gap.next().value);
      const runId = `run-${i}`;
      const start = new Promise((resolve) => began.set(i, resolve));
      const end = new Promise((resolve) => ended.set(runId, resolve));
      const called = performance.now();
      const stored = workplace.runtime.startWorkflow(flow, { runId, params: { i } });
      latencies.push((await start) - called);
      wholes.push((await end) - called);
      await stored;
    }
    await workplace.close();
    return { latency: summary(latencies), whole: summary(wholes) };
  },
};

function summary(samples) {
  const counted = samples.slice(WARMUP_STARTS);
  return { value: percentile(counted, 0.5), p99: `${percentile(counted, 0.99).toFixed(2)} ms` };
}
