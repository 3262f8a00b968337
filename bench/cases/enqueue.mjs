import { WORK_CONTENDERS } from "../contenders/index.mjs";
import { measureRate } from "../lib/measure.mjs";

/** Through `Stem`, which stores each task's status `queued` beside its message. */
export const enqueueAll = {
  name: "enqueue-all-1000",
  contenders: WORK_CONTENDERS,
  metrics: { rate: { title: "Stem.enqueueAll, 1,000 a call, status stored", unit: "jobs/s", better: "higher" } },
  sizes: { full: { iterations: 50, warmup: 3 }, quick: { iterations: 8, warmup: 2 } },
  async run(contender, directory, { iterations, warmup }) {
    const workplace = await contender.openWorkplace(directory, {});
    let next = 0;
    const work = () => workplace.enqueueBulk((next += 1_000), 1_000);
    const { perSecond, p99, cpuUs } = await measureRate(work, { iterations, warmup });
    await workplace.close();
    return { rate: { value: perSecond * 1_000, cpuUs: cpuUs / 1_000, p99: `${p99.toFixed(2)} ms` } };
  },
};
