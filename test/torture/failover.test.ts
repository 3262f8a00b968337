import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { createEnvelope } from "../../src/index.ts";
import { createSeededRandomness } from "../../src/testing/index.ts";
import { type ChildProgram, startProgram } from "../support/child-process.ts";
import { checkDatabase } from "../support/database-check.ts";
import { drainCrowd } from "../support/drain-queues.ts";
import { figuresOf, reportFigures } from "../support/figures.ts";
import { type CrowdMember, ProcessCrowd } from "../support/process-crowd.ts";
import { checkQueueHistory } from "../support/queue-history/check-queue-history.ts";
import { microseconds } from "../support/queue-history/history-log.ts";
import type { QueueRecord } from "../support/queue-history/history-record.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const KILLS = Number(process.env["STEM_TORTURE_FAILOVERS"] ?? 10);
const PROCESSES = Number(process.env["STEM_TORTURE_PROCESSES"] ?? 4);
const SEED = Number(process.env["STEM_TORTURE_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const SETTINGS = { ownerTimeout: 10_000, leaseMs: 30_000, maxDeliveries: 1_000, publishPauseMs: 15, exitOnceIn: 1e9 };
const TIME_LIMIT_MS = 120_000 + KILLS * 10_000;
const LOOK_MS = 5;
const MOST_WORK_MS = 400;
const CALLS: ReadonlySet<QueueRecord["op"]> = new Set(["publish", "ack", "nack", "retry", "deadLetter", "extend"]);

interface Kill {
  readonly at: number;
  /** When it was certainly dead. */
  readonly gone: number;
}

describe("torture/failover", () => {
  it(
    `serves everybody again after each of ${KILLS} kills of the owner, and loses nothing`,
    async () => {
      console.log(`Replay: npm run torture -- --failover ${KILLS} --processes ${PROCESSES} --seed ${SEED} failover`);
      const folder = useTempDirectory();
      const crowd = new ProcessCrowd(folder, SEED, SETTINGS);
      const kills = await killOwners(crowd);
      await crowd.closeAll();
      expect(crowd.problems).toEqual([]);

      const { history, end } = await drainCrowd(crowd, folder, SETTINGS.maxDeliveries);
      const times = kills.map((kill) => timesOf(kill, history));
      reportFigures("failover", {
        "from SIGKILL of the owner to the first answer": figuresOf(times.map(({ first }) => first)),
        "from SIGKILL of the owner to an answer for each survivor": figuresOf(times.map(({ last }) => last)),
      });
      expect(times.every(({ first }) => Number.isFinite(first))).toBe(true);
      const { violations, totals } = checkQueueHistory(history, end, SETTINGS);
      console.log(JSON.stringify({ ...totals, complaints: [...crowd.complaints] }));
      expect(violations.slice(0, 20)).toEqual([]);
      expect(await checkDatabase(crowd.file)).toEqual([]);
    },
    TIME_LIMIT_MS,
  );

  it(
    `gives the message of each of ${KILLS} killed workers to another one`,
    async () => {
      const file = join(useTempDirectory(), "queue.sqlite");
      await using broker = await SqliteBroker.open(file);
      const startWorker = async (): Promise<ChildProgram> => {
        const worker = startProgram("hold-job", [file]);
        await worker.seen("open");
        return worker;
      };
      let workers = [await startWorker(), await startWorker()];
      const times: number[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const id = `job-${kill}`;
        await broker.publish(createEnvelope({ id, name: "work", queue: "held" }));
        const holder = await whoWasGiven(workers, id, 1);
        const others = workers.filter((worker) => worker !== holder.worker);
        const at = microseconds();
        holder.worker.process.kill("SIGKILL");
        times.push((await whoWasGiven(others, id, 2)).at - at);
        workers = [...others, await startWorker()];
      }
      reportFigures("redelivery", { "from SIGKILL of a worker to the redelivery": figuresOf(times) });
      await Promise.all(workers.map((worker) => worker.kill()));
      expect(await broker.pendingCount("held")).toBe(0);
    },
    TIME_LIMIT_MS,
  );
});

/** Kills the owner again and again while the others work; a new process comes for each. */
async function killOwners(crowd: ProcessCrowd): Promise<readonly Kill[]> {
  const random = createSeededRandomness(SEED);
  const kills: Kill[] = [];
  for (let started = 0; started < PROCESSES; started++) await crowd.start().program.seen("open");
  while (kills.length < KILLS) {
    await pause(random.number() * MOST_WORK_MS);
    const owner = await ownerOf(crowd);
    const at = microseconds();
    crowd.kill(owner);
    await owner.program.ended;
    kills.push({ at, gone: microseconds() });
    await ownerOf(crowd);
    await crowd.start().program.seen("open");
  }
  return kills;
}

async function ownerOf(crowd: ProcessCrowd): Promise<CrowdMember> {
  for (;;) {
    const owner = crowd.owner();
    if (owner !== undefined && owner.state === "running") return owner;
    await pause(LOOK_MS);
  }
}

/** When survivors were answered what they asked for after the owner was gone: the first of them, and the last. */
function timesOf({ at, gone }: Kill, history: readonly QueueRecord[]): Readonly<{ first: number; last: number }> {
  const ofSurvivors = new Map<string, number>();
  const survivors = new Set(
    history.filter(({ op, invoked }) => op === "begin" && invoked < at).map(({ process }) => process),
  );
  for (const { op, process, invoked, completed = Infinity, outcome } of history) {
    if (op === "end" && invoked <= gone) survivors.delete(process);
    if (!CALLS.has(op) || outcome !== "ok" || invoked < gone) continue;
    ofSurvivors.set(process, Math.min(ofSurvivors.get(process) ?? Infinity, completed));
  }
  const answered = [...survivors].flatMap((process) => ofSurvivors.get(process) ?? []);
  return { first: Math.min(...answered) - at, last: Math.max(...answered) - at };
}

async function whoWasGiven(
  workers: readonly ChildProgram[],
  id: string,
  deliveries: number,
): Promise<Readonly<{ worker: ChildProgram; at: number }>> {
  const start = `{"id":${JSON.stringify(id)},"deliveries":${deliveries},`;
  for (;;) {
    for (const worker of workers) {
      const line = worker.lines.find((said) => said.startsWith(start));
      if (line !== undefined) return { worker, at: (JSON.parse(line) as { at: number }).at };
    }
    await pause(LOOK_MS);
  }
}

function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
