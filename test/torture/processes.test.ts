import { describe, expect, it } from "vitest";
import { type Randomness } from "../../src/index.ts";
import { createSeededRandomness } from "../../src/testing/index.ts";
import { checkDatabase, hasSqliteProgram, runSqliteProgram } from "../support/database-check.ts";
import { drainCrowd } from "../support/drain-queues.ts";
import { startForeignLoop } from "../support/foreign-loop.ts";
import { anyOf, ProcessCrowd } from "../support/process-crowd.ts";
import { checkQueueHistory } from "../support/queue-history/check-queue-history.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const SECONDS = Number(process.env["STEM_TORTURE_SECONDS"] ?? 15);
const PROCESSES = Number(process.env["STEM_TORTURE_PROCESSES"] ?? 4);
const SEED = Number(process.env["STEM_TORTURE_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const SETTINGS = { ownerTimeout: 1_000, leaseMs: 2_000, maxDeliveries: 30, publishPauseMs: 15, exitOnceIn: 400 };
const LONGEST_PAUSE_MS = 3_000;
const SHORTEST_PAUSE_MS = 200;
const LONGEST_WAIT_MS = 700;

describe("torture/processes", () => {
  it(
    `loses nothing and repeats no end while ${PROCESSES} processes on one file are killed, paused and closed`,
    async ({ annotate }) => {
      if (!hasSqliteProgram) await annotate("without foreign readers: the sqlite3 program is not installed");
      console.log(`Replay: npm run torture -- --seconds ${SECONDS} --processes ${PROCESSES} --seed ${SEED} processes`);
      const folder = useTempDirectory();
      const random = createSeededRandomness(SEED);
      const crowd = new ProcessCrowd(folder, SEED, SETTINGS);
      for (let started = 0; started < PROCESSES; started++) crowd.start();
      const foreign = hasSqliteProgram ? startForeignLoop(crowd.file) : undefined;
      await disturb(crowd, random);
      await crowd.closeAll();
      const met = await foreign?.stop();
      expect(crowd.problems).toEqual([]);

      const { history, end } = await drainCrowd(crowd, folder, SETTINGS.maxDeliveries);
      const { violations, totals } = checkQueueHistory(history, end, SETTINGS);
      console.log(JSON.stringify({ ...crowd.counts, ...totals, complaints: [...crowd.complaints], foreign: met }));
      expect(violations.slice(0, 20)).toEqual([]);
      expect(totals.acked).toBeGreaterThan(0);
      expect(await checkDatabase(crowd.file)).toEqual([]);
      if (hasSqliteProgram) {
        expect(runSqliteProgram(crowd.file, "select count(*) from queue_jobs")).toEqual({ status: 0, output: "0" });
      }
    },
    120_000 + SECONDS * 2_000,
  );
});

/** Faults by chance until the time is over. One process at a time is paused, so that there is work to disturb. */
async function disturb(crowd: ProcessCrowd, random: Randomness): Promise<void> {
  const until = performance.now() + SECONDS * 1_000;
  let pausedUntil = 0;
  await anyOf(crowd.running, random)?.program.seen("open");
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, random.number() * LONGEST_WAIT_MS));
    while (crowd.running.length < PROCESSES - 1) crowd.start();
    const chance = random.number();
    // The owner is the most rewarding one to disturb.
    const target = random.number() < 0.4 ? crowd.owner() : anyOf(crowd.running, random);
    if (target === undefined || target.state !== "running") continue;
    if (chance < 0.5) crowd.kill(target);
    else if (chance < 0.7) crowd.close(target);
    else if (performance.now() > pausedUntil) {
      const forMs = SHORTEST_PAUSE_MS + random.number() ** 2 * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
      pausedUntil = performance.now() + forMs;
      crowd.pause(target, forMs);
    }
  }
}
