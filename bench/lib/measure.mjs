// How a case measures inside its own process. Repeated small pieces of work go through tinybench; a whole run that
// cannot be repeated in one process (a backlog worked off) is timed once.
import { setTimeout as sleep } from "node:timers/promises";
import { Bench } from "tinybench";

/** Starts counting the CPU time of this process, all threads; call the result for the microseconds since. */
export function startCpuClock() {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
}

/**
 * Calls `work` `warmup` times, then `iterations` times, and returns how many calls per second there were, the p99 of
 * one call's latency in milliseconds, and its CPU time in microseconds. A synchronous `work` is called without a
 * promise in between.
 */
export async function measureRate(work, { iterations, warmup, isAsync = true }) {
  const bench = new Bench({
    iterations,
    time: 0,
    warmup: warmup > 0,
    warmupIterations: warmup,
    warmupTime: 0,
    throws: true,
  });
  bench.add("work", work, { async: isAsync });
  const cpu = startCpuClock();
  const [task] = await bench.run();
  const cpuUs = cpu() / (warmup + iterations);
  const { latency, totalTime } = task.result;
  return { perSecond: (latency.samplesCount * 1_000) / totalTime, p99: latency.p99, cpuUs };
}

/** Runs `work` once and returns how many milliseconds it took. */
export async function measureOnce(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** CPU time of this process, all threads, in percent of one core over `ms` milliseconds in which it is left alone. */
export async function measureIdleCpu(ms) {
  const cpu = startCpuClock();
  const elapsed = await measureOnce(() => sleep(ms));
  return (cpu() / 1_000 / elapsed) * 100;
}

/** V8 goes on compiling and tidying up for about ten seconds after a start: that is not what waiting costs. */
export const IDLE_SETTLE_MS = 15_000;

/** Milliseconds up to `upTo`, the same in every run: a generator with a fixed seed. */
export function* gaps(upTo) {
  let state = 20_241;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield (state / 2 ** 31) * upTo;
  }
}
