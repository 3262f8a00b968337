import { describe, expect, it } from "vitest";
import {
  checkCrashes,
  crashImage,
  type CrashFinding,
  type CrashPoint,
  type CrashRecording,
  judge,
} from "./crash-check.ts";
import { recoverImage } from "./crash-check-image.ts";
import { SimDisk } from "./sim-disk.ts";
import { recordWorkload, type WorkloadOptions } from "./workload.ts";

/** A workload whose crash images are checked, as plain data: it is printed, and read back for a replay. */
export type CrashWorkload = Pick<WorkloadOptions, "seed" | "turns" | "reopenEvery" | "durability" | "about"> & {
  readonly engine: Required<Pick<NonNullable<WorkloadOptions["engine"]>, "walAutocheckpoint">>;
};

interface Replay {
  readonly workload: CrashWorkload;
  readonly point: CrashPoint;
}

/** Names one image to look at again; printed with each bad one. */
const REPLAY = process.env["STEM_CRASH_POINT"];
/** How many times as many images as usual. */
const TIMES = Number(process.env["STEM_CRASH_TIMES"] ?? 1);
const SEEDS_APART = 1_000;
/** Of every so many images, each crash during its own recovery is checked as well. */
const AGAIN_EVERY = 100;
const FEWEST_PER_TURN = 15;
const MOST_SHOWN = 5;

/** Checks every crash image of every workload; `file` is the test file that calls it, for the replay command. */
export function describeCrashMatrix(file: string, workloads: readonly CrashWorkload[]): void {
  if (REPLAY !== undefined) return describeReplay(JSON.parse(REPLAY) as Replay);
  const all = Array.from({ length: TIMES }, (_, time) =>
    workloads.map((workload) => ({ ...workload, seed: workload.seed + time * SEEDS_APART })),
  ).flat();
  describe("a crash at any call that changes the disk", () => {
    it.each(all)("loses nothing acknowledged and damages nothing: %j", async (workload) => {
      const recording = await record(workload);
      const { points, images, findings } = await checkCrashes(recording, { again: { every: AGAIN_EVERY } });
      report(`${points} crash points, ${images} different images, ${findings.length} bad: ${JSON.stringify(workload)}`);
      expect(describeFindings(findings, workload, file)).toEqual([]);
      // A workload that writes next to nothing would pass as well.
      expect(images).toBeGreaterThan(workload.turns * FEWEST_PER_TURN);
    });
  });
}

/** Runs a workload on a new disk. */
export async function record(workload: WorkloadOptions): Promise<CrashRecording> {
  const disk = new SimDisk();
  const history = await recordWorkload(disk, workload);
  return { history, operations: disk.operations, seed: workload.seed, engine: workload.engine ?? {} };
}

/** Prints a line that a passing run shows too. */
export function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

function describeReplay({ workload, point }: Replay): void {
  it(`recovers the image at ${JSON.stringify(point)}`, async () => {
    const recording = await record(workload);
    const image = await recoverImage(new SimDisk({}, crashImage(recording, point)), recording.engine);
    report(JSON.stringify({ image, possible: recording.history.possibleAt(point.index) }));
    expect(judge(image, point, recording.history)).toBeUndefined();
  });
}

function describeFindings(findings: readonly CrashFinding[], workload: CrashWorkload, file: string): string[] {
  return findings.slice(0, MOST_SHOWN).map(({ point, kind, detail }) => {
    const replay = JSON.stringify({ workload, point } satisfies Replay);
    return `${kind}: ${detail}; see it again: STEM_CRASH_POINT='${replay}' npx vitest run ${file}`;
  });
}
