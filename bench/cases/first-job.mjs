import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { percentile, median } from "../lib/statistics.mjs";

const PROGRAM = fileURLToPath(new URL("../lib/first-job-program.mjs", import.meta.url));
const execute = promisify(execFile);

/** Milliseconds from asking for a process to the end of its first handler. */
async function startOnce(contenderName, directory) {
  const asked = performance.timeOrigin + performance.now();
  const { stdout } = await execute(process.execPath, [PROGRAM, contenderName, directory]);
  return Number(stdout) - asked;
}

/** A program that opens its queue, enqueues one job and works it off. */
export const firstJob = {
  name: "first-job",
  rounds: 1,
  contenders: ["stem-full", "stem-full-one-file", "plainjob-full"],
  metrics: {
    fresh: {
      title: "start of the process to its first finished job, new file",
      unit: "ms",
      better: "lower",
      goal: { contender: ["stem-full", "stem-full-one-file"], atMost: 150 },
    },
    existing: {
      title: "start of the process to its first finished job, existing file",
      unit: "ms",
      better: "lower",
      goal: { contender: ["stem-full", "stem-full-one-file"], atMost: 150 },
    },
  },
  sizes: { full: { starts: 11 }, quick: { starts: 3 } },
  async run(_contender, directory, { starts }, { name }) {
    const fresh = [];
    const existing = [];
    for (let i = 0; i < starts; i += 1) {
      const own = join(directory, String(i));
      await mkdir(own);
      fresh.push(await startOnce(name, own));
      existing.push(await startOnce(name, own));
    }
    const summary = (times) => ({ value: median(times), p99: `${percentile(times, 1).toFixed(0)} ms` });
    return { fresh: summary(fresh), existing: summary(existing) };
  },
};
