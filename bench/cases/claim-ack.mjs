import { QUEUE_CONTENDERS } from "../contenders/index.mjs";
import { measureOnce, startCpuClock } from "../lib/measure.mjs";

const FILL_CHUNK = 1_000;

async function workOff(claims, count) {
  for (let i = 0; i < count; i += 1) await claims.acknowledge(await claims.next());
}

/** `prefetch` hands take the next message and acknowledge it, until all are gone. */
function claimCase(prefetch, title) {
  return {
    name: `claim-ack-${prefetch}`,
    contenders: QUEUE_CONTENDERS,
    metrics: { rate: { title, unit: "jobs/s", better: "higher" } },
    sizes: { full: { each: 10_000, together: 60_000 }, quick: { each: 1_000, together: 8_000 } },
    async run(contender, directory, { each, together }) {
      const queue = await contender.openQueue(directory);
      // Who works one by one whatever the prefetch would take minutes over many.
      const jobs = prefetch > 1 && queue.isAsync ? together : each;
      const warmup = jobs / 10;
      for (let from = 0; from < jobs + warmup; from += FILL_CHUNK) await queue.publishBulk(from, FILL_CHUNK);
      const claims = queue.claims(prefetch);
      const round = (count) => Promise.all(Array.from({ length: prefetch }, () => workOff(claims, count / prefetch)));
      await round(warmup);
      const cpu = startCpuClock();
      const ms = await measureOnce(() => round(jobs));
      const cpuUs = cpu() / jobs;
      await claims.close();
      await queue.close();
      return { rate: { value: (jobs * 1_000) / ms, cpuUs } };
    },
  };
}

export const claimAckOne = claimCase(1, "claim and ack, prefetch 1");
export const claimAck100 = claimCase(100, "claim and ack, prefetch 100");
