import { measureRate } from "../lib/measure.mjs";
import { QUEUE_CONTENDERS } from "../contenders/index.mjs";

/** One case per way to publish: `call` does one piece of work that publishes `jobs` jobs from number `from` on. */
function publishCase({ name, title, jobs, sizes, goal, call }) {
  return {
    name,
    contenders: QUEUE_CONTENDERS,
    metrics: { rate: { title, unit: "jobs/s", better: "higher", goal } },
    sizes,
    async run(contender, directory, { iterations, warmup }) {
      const queue = await contender.openQueue(directory);
      let next = 0;
      const work = () => {
        const from = next;
        next += jobs;
        return call(queue, from, jobs);
      };
      const { perSecond, p99, cpuUs } = await measureRate(work, { iterations, warmup, isAsync: queue.isAsync });
      await queue.close();
      return { rate: { value: perSecond * jobs, cpuUs: cpuUs / jobs, p99: `${p99.toFixed(2)} ms` } };
    },
  };
}

export const publishOne = publishCase({
  name: "publish-one",
  title: "publish one by one",
  jobs: 1,
  sizes: { full: { iterations: 15_000, warmup: 2_000 }, quick: { iterations: 1_000, warmup: 200 } },
  goal: { contender: "stem-full", timesPeer: 1 },
  call: (queue, from) => queue.publish(from),
});

export const publishTogether = publishCase({
  name: "publish-100",
  title: "publish, 100 calls at once",
  jobs: 100,
  sizes: { full: { iterations: 500, warmup: 150 }, quick: { iterations: 100, warmup: 100 } },
  goal: { contender: "stem-full", atLeast: 100_000 },
  call: (queue, from, jobs) => queue.publishTogether(from, jobs),
});

function bulkCase(jobs, sizes) {
  return publishCase({
    name: `bulk-${jobs}`,
    title: `publish in bulk, ${jobs.toLocaleString("en")} a call`,
    jobs,
    sizes,
    goal: { contender: "stem-full", atLeast: 300_000 },
    call: (queue, from) => queue.publishBulk(from, jobs),
  });
}

export const bulk1000 = bulkCase(1_000, {
  full: { iterations: 100, warmup: 20 },
  quick: { iterations: 20, warmup: 20 },
});
export const bulk10000 = bulkCase(10_000, { full: { iterations: 20, warmup: 3 }, quick: { iterations: 4, warmup: 2 } });
