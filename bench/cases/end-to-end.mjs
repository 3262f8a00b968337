import { WORK_CONTENDERS } from "../contenders/index.mjs";
import { startCpuClock } from "../lib/measure.mjs";

const FILL_CHUNK = 1_000;
const CHECKED_RESULTS = 200;

/** From the moment a tenth of a backlog is done until all of it is done, stored, and the worker has stopped. */
function endToEndCase(concurrency, { sizes, goal }) {
  return {
    name: `end-to-end-${concurrency}`,
    contenders: WORK_CONTENDERS,
    metrics: {
      rate: { title: `end to end, concurrency ${concurrency}, result stored`, unit: "jobs/s", better: "higher", goal },
    },
    sizes,
    async run(contender, directory, { jobs }) {
      const warmup = jobs / 10;
      const seen = { count: 0, start: 0, cpu: undefined };
      let finish;
      const finished = new Promise((resolve) => (finish = resolve));
      const workplace = await contender.openWorkplace(directory, {
        concurrency,
        onDone() {
          seen.count += 1;
          if (seen.count === warmup) Object.assign(seen, { start: performance.now(), cpu: startCpuClock() });
          if (seen.count === jobs + warmup) finish();
        },
      });
      const ids = [];
      for (let from = 0; from < jobs + warmup; from += FILL_CHUNK) {
        ids.push(...(await workplace.enqueueBulk(from, Math.min(FILL_CHUNK, jobs + warmup - from))));
      }
      await workplace.start();
      await finished;
      await workplace.stop();
      const ms = performance.now() - seen.start;
      const cpuUs = seen.cpu() / jobs;
      await checkResults(workplace, ids);
      await workplace.close();
      if (seen.count !== jobs + warmup) throw new Error(`${seen.count} runs of ${jobs + warmup} jobs`);
      return { rate: { value: (jobs * 1_000) / ms, cpuUs } };
    },
  };
}

/** A figure without the results is worth nothing. */
async function checkResults(workplace, ids) {
  const step = Math.max(1, Math.floor(ids.length / CHECKED_RESULTS));
  const sample = ids.filter((_, index) => index % step === 0 || index === ids.length - 1);
  const found = await workplace.countResults(sample);
  if (found !== sample.length) throw new Error(`only ${found} of ${sample.length} results are stored`);
}

export const endToEndOne = endToEndCase(1, {
  sizes: { full: { jobs: 15_000 }, quick: { jobs: 1_000 } },
  goal: { contender: ["stem-full", "stem-full-one-file"], atLeast: 6_000 },
});
export const endToEndTen = endToEndCase(10, {
  sizes: { full: { jobs: 40_000 }, quick: { jobs: 4_000 } },
  goal: { contender: ["stem-full", "stem-full-one-file"], atLeast: 20_000 },
});
