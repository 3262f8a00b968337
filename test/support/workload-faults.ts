import { checkCrashes, type CrashKind, crashImage } from "./crash-check.ts";
import { withOneEngine } from "./crash-check-engine.ts";
import { recoverImage } from "./crash-check-image.ts";
import { History } from "./history.ts";
import { watchCommits } from "./history-commits.ts";
import type { DatabaseContent } from "./history-content.ts";
import { SimDisk } from "./sim-disk.ts";
import type { SimContent, SimOperation } from "./sim-operations.ts";
import { createSimRandom } from "./sim-random.ts";
import { NOTHING } from "./workload.ts";
import { type FaultPoint, FaultRun } from "./workload-fault-run.ts";
import { runFaultScript } from "./workload-fault-script.ts";

/** A disk to begin with, and the storage calls the script makes on it when none fails. */
export interface FaultGround {
  readonly name: string;
  readonly disk: SimContent;
  /** What opening finds in it. */
  readonly content: DatabaseContent;
  /** The calls that change the disk, in order. */
  readonly changes: readonly SimOperation["kind"][];
  readonly reads: number;
}

/** What a run with a fault showed to be wrong; empty for nothing. */
export type FaultProblems = readonly string[];

const ENGINE = { walAutocheckpoint: 4 };
const KINDS: readonly CrashKind[] = [{ mode: "dropped" }, { mode: "random", keep: 0.5 }];
/** A crash is tried within so many calls after the fault, and at the end. */
const SOON = 40;
const PERSISTENT_EVERY = 3;

/** An empty disk, one with a database that was closed, and one whose owner was killed with a log that is not empty. */
export async function faultGrounds(): Promise<readonly FaultGround[]> {
  const empty: SimContent = new Map();
  const first = await runScript(empty, "first", NOTHING);
  const closed = killedAt(empty, first.disk, first.disk.operationCount);
  const second = await runScript(closed, "second", NOTHING);
  const killed = killedAt(closed, second.disk, Math.floor(second.disk.operationCount * 0.6));
  return [await groundOf("new", empty), await groundOf("closed", closed), await groundOf("killed", killed)];
}

/** Every call fails once in each way it can, and every few calls all that follow fail too until the disk is well. */
export function faultPoints(ground: FaultGround): readonly FaultPoint[] {
  const changes = ground.changes.flatMap((call, index): FaultPoint[] => [
    { index, call: "change", kind: "EIO", mode: "once" },
    { index, call: "change", kind: "ENOSPC", mode: "once" },
    ...(call === "write" ? [{ index, call: "change", kind: "short", mode: "once" } as const] : []),
    ...(index % PERSISTENT_EVERY === 0 ? [{ index, call: "change", kind: "EIO", mode: "persistent" } as const] : []),
    ...(index % PERSISTENT_EVERY === 1 ? [{ index, call: "change", kind: "ENOSPC", mode: "persistent" } as const] : []),
  ]);
  const reads = Array.from({ length: ground.reads }, (_, index): FaultPoint[] => [
    { index, call: "read", kind: "EIO", mode: "once" },
    ...(index % PERSISTENT_EVERY === 0 ? [{ index, call: "read", kind: "EIO", mode: "persistent" } as const] : []),
  ]);
  return [...changes, ...reads.flat()];
}

/** Runs the script with one fault, and checks the answers, the end, and crashes after the fault. */
export function checkFault(ground: FaultGround, point: FaultPoint): Promise<FaultProblems> {
  return withOneEngine(async () => {
    const { run, history, disk } = await runScript(ground.disk, "fault", ground.content, point);
    const recording = { history, operations: disk.operations, initial: ground.disk, seed: point.index, engine: {} };
    const indexes = indexesAfter(point, disk.operationCount);
    const crashes = await checkCrashes(recording, { dirents: ["strict"], kinds: KINDS, indexes });
    const end = new SimDisk({}, killedAt(ground.disk, disk, disk.operationCount));
    const image = await recoverImage(end, {}, (content) => run.checkFates(content));
    const findings = [...crashes.findings, ...(image.kind === "recovered" ? [] : [image])];
    return [...run.problems, ...findings.map((finding) => JSON.stringify(finding))];
  });
}

interface ScriptRun {
  readonly disk: SimDisk;
  readonly history: History;
  readonly run: FaultRun;
}

async function runScript(
  content: SimContent,
  prefix: string,
  initial: DatabaseContent,
  point?: FaultPoint,
): Promise<ScriptRun> {
  const disk = new SimDisk({}, content);
  const history = new History(disk, initial);
  const run = new FaultRun(disk, history, { engine: ENGINE }, point);
  const stop = watchCommits(history);
  try {
    await runFaultScript(run, prefix);
  } finally {
    stop();
  }
  return { disk, history, run };
}

async function groundOf(name: string, content: SimContent): Promise<FaultGround> {
  let found = NOTHING;
  if (content.size > 0) await recoverImage(new SimDisk({}, content), {}, (read) => (found = read));
  const { disk, run } = await runScript(content, "fault", found);
  if (run.problems.length > 0) throw new Error(`Without a fault: ${run.problems.join("; ")}`);
  return {
    name,
    disk: content,
    content: found,
    changes: disk.operations.map(({ kind }) => kind),
    reads: disk.readCount,
  };
}

/** What a disk holds when its owner is killed before the call with this index. */
function killedAt(initial: SimContent, disk: SimDisk, index: number): SimContent {
  const recording = { initial, operations: disk.operations, seed: 0 };
  return crashImage(recording, { mode: "killed", dirent: "strict", index });
}

function indexesAfter(point: FaultPoint, end: number): number[] {
  const first = point.call === "change" ? Math.min(point.index + 1, end) : 0;
  const soon = first + Math.floor(createSimRandom(point.index + 1)() * (Math.min(SOON, end - first) + 1));
  return [soon, end];
}
