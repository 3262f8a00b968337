// What the processes that share a store do. Each role opens something of its contender and returns what it can be told.
import { setTimeout as sleep } from "node:timers/promises";

/** A monotonic clock that all processes of a machine share, in milliseconds; on Linux it counts from the start of that. */
export const sharedNow = () => Number(process.hrtime.bigint()) / 1e6;

/** Compiles the code of a publisher before others are disturbed by it. */
const OPENING_JOBS = 200;

/** Publishes without pause, `outstanding` calls at a time, and says how long each call took. */
async function publisher(contender, directory) {
  const queue = await contender.openQueue(directory);
  let next = 0;
  for (; next < OPENING_JOBS; next += 1) await queue.publish(next);

  /** Counts what is done from `from` until `until`, on the shared clock, and times what begins then. */
  async function publishLoop(from, until, seen) {
    for (let now = sharedNow(); now < until;) {
      const began = now;
      const published = queue.publish(next++);
      if (queue.isAsync) await published;
      now = sharedNow();
      if (began >= from) seen.latencies.push(Math.round((now - began) * 1_000));
      if (now >= from && now < until) seen.count += 1;
    }
  }

  return {
    async publishBetween(start, from, until, outstanding) {
      const seen = { count: 0, latencies: [] };
      await sleep(Math.max(0, start - sharedNow()));
      // Whose calls are synchronous has one at a time, whatever is asked for.
      const loops = queue.isAsync ? outstanding : 1;
      await Promise.all(Array.from({ length: loops }, () => publishLoop(from, until, seen)));
      return seen;
    },
    close: () => queue.close(),
  };
}

/** Enqueues tasks: at given intervals, or many as fast as it can. */
async function producer(contender, directory) {
  const workplace = await contender.openWorkplace(directory, {});
  return {
    /** When each of `gaps.length` tasks was asked for, on the shared clock; the first one has the number `first`. */
    async enqueueAtIntervals(first, gaps) {
      const asked = [];
      for (const [offset, gap] of gaps.entries()) {
        await sleep(gap);
        const now = sharedNow();
        const enqueued = workplace.enqueue(first + offset);
        asked.push([now, first + offset]);
        await enqueued;
      }
      return asked;
    },
    async enqueueMany(first, count, outstanding) {
      let next = first;
      const loop = async () => {
        while (next < first + count) await workplace.enqueue(next++);
      };
      await Promise.all(Array.from({ length: outstanding }, loop));
    },
    close: () => workplace.close(),
  };
}

/** A worker that has started; it remembers when each task began, and when the last one was done. */
async function worker(contender, directory, options) {
  let begun = [];
  const done = { count: 0, last: 0 };
  const workplace = await contender.openWorkplace(directory, {
    ...options,
    onStart: (i) => begun.push([sharedNow(), i]),
    onDone: () => Object.assign(done, { count: done.count + 1, last: sharedNow() }),
  });
  await workplace.start();
  return {
    /** When each task began since the last time this was asked. */
    takeBegun() {
      const taken = begun;
      begun = [];
      return taken;
    },
    progress: () => done,
    /** CPU time so far, all threads, in milliseconds. */
    cpu() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    memory: () => process.memoryUsage.rss() / 2 ** 20,
    async close() {
      await workplace.stop();
      await workplace.close();
    },
  };
}

export const roles = { publisher, producer, worker };
