import { describe, expect, it } from "vitest";
import { checkCrashes, type CrashFinding, type CrashKind, type CrashRecording } from "../support/crash-check.ts";
import { record, report } from "../support/crash-check-suite.ts";
import type { SimDiskOptions } from "../support/sim-operations.ts";
import type { WorkloadOptions } from "../support/workload.ts";

const WORKLOAD = { seed: 21, turns: 25, reopenEvery: 10, engine: { walAutocheckpoint: 6 } } satisfies WorkloadOptions;
const KILLED: readonly CrashKind[] = [{ mode: "killed" }];
const DROPPED: readonly CrashKind[] = [{ mode: "dropped" }];
const RANDOM: readonly CrashKind[] = [{ mode: "random", keep: 0.5 }];

// A crash matrix that finds nothing proves something only if it finds these.
describe("the crash matrix catches", () => {
  it("an engine that does not flush", async () => {
    const recording = await record({ ...WORKLOAD, engine: { ...WORKLOAD.engine, synchronous: "off" } });
    const kinds = countKinds(await findingsOf(recording, [...DROPPED, ...RANDOM]));
    expect(kinds.lost).toBeGreaterThan(0);
    expect(kinds.refused + kinds.unsound + kinds.mixed).toBeGreaterThan(0);
  });

  it("a disk that ignores flushes", async () => {
    const kinds = countKinds(await findingsOf(await onLyingDisk({ ignoreFlush: true }), [...DROPPED, ...RANDOM]));
    expect(kinds.lost).toBeGreaterThan(0);
    expect(kinds.refused + kinds.unsound + kinds.mixed).toBeGreaterThan(0);
  });

  it("a disk that ignores flushes of its directory", async () => {
    const kinds = countKinds(await findingsOf(await onLyingDisk({ ignoreDirectoryFlush: true }), DROPPED));
    expect(kinds.lost).toBeGreaterThan(0);
  });

  it("an engine that takes its own lock for somebody else's, and so never rolls a journal back", async () => {
    const engine = { journalMode: "delete", defects: { ownLockIsReserved: true } } as const;
    const recording = await record({ ...WORKLOAD, engine });
    // In this journal mode, which is here for this test only, closing leaves an empty journal behind.
    const harms = (findings: readonly CrashFinding[]): readonly CrashFinding[] =>
      findings.filter(({ detail }) => detail !== "left behind after closing: journal");
    expect(harms(await findingsOf(recording, KILLED)).length).toBeGreaterThan(0);
    // The same crashes are harmless to an engine without the defect.
    expect(harms(await findingsOf({ ...recording, engine: { journalMode: "delete" } }, KILLED))).toEqual([]);
  });

  it("the acknowledged operations that relaxed durability loses, and nothing worse", async () => {
    const recording = await record({ ...WORKLOAD, durability: "relaxed" });
    const kinds = countKinds(await findingsOf(recording, [...DROPPED, ...RANDOM]));
    expect(kinds.lost).toBeGreaterThan(0);
    expect(kinds).toEqual({ lost: kinds.lost, mixed: 0, refused: 0, unsound: 0 });
    expect(await findingsOf(recording, KILLED)).toEqual([]);
  });
});

async function onLyingDisk(disk: Omit<SimDiskOptions, "dirent">): Promise<CrashRecording> {
  return { ...(await record(WORKLOAD)), disk };
}

async function findingsOf(recording: CrashRecording, kinds: readonly CrashKind[]): Promise<readonly CrashFinding[]> {
  const { points, findings } = await checkCrashes(recording, { dirents: ["strict"], kinds });
  report(`${points} crash points: ${JSON.stringify(countKinds(findings))}`);
  return findings;
}

function countKinds(findings: readonly CrashFinding[]): Record<CrashFinding["kind"], number> {
  const count = (kind: CrashFinding["kind"]): number => findings.filter((finding) => finding.kind === kind).length;
  return { lost: count("lost"), mixed: count("mixed"), refused: count("refused"), unsound: count("unsound") };
}
