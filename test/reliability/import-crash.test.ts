import { describe, expect, it } from "vitest";
import { importCopy } from "../../adapters/sqlite/hub/import-copy.ts";
import { StemError } from "../../src/errors.ts";
import { createSeededRandomness, FakeClock } from "../../src/testing/index.ts";
import { crashImage } from "../support/crash-check.ts";
import { withOneEngine } from "../support/crash-check-engine.ts";
import { bytesOf, diskOf } from "../support/crash-check-files.ts";
import { digestImage, recoverImage } from "../support/crash-check-image.ts";
import { record, report } from "../support/crash-check-suite.ts";
import { SimDisk } from "../support/sim-disk.ts";
import type { SimContent } from "../support/sim-operations.ts";
import { createSimRandom } from "../support/sim-random.ts";
import { type SimCrashOptions, SimReplay } from "../support/sim-replay.ts";
import { DATABASE, simHost } from "../support/workload-session.ts";

const SEEDS = 6;
/** Everything that was issued, as if all of it were durable. */
const AS_IT_IS: SimCrashOptions = { mode: "killed", random: () => 0 };

const recording = await record({ seed: 7, turns: 40, engine: { walAutocheckpoint: 12 } });
const last = recording.operations.length;
const imageAt = (index: number): SimContent => crashImage(recording, { mode: "killed", dirent: "strict", index });
const COPY = bytesOf(imageAt(last), "db");
const other = await record({ seed: 8, turns: 60, engine: { walAutocheckpoint: 12 } });
const OLD = crashImage(other, { mode: "killed", dirent: "strict", index: other.operations.length });
const OLD_KILLED = crashImage(other, {
  mode: "killed",
  dirent: "strict",
  index: Math.floor(other.operations.length * 0.8),
});

/** What opens, by its digest; `refused` is a file that says that its import was not finished. */
async function stateOf(content: SimContent): Promise<string> {
  const image = await recoverImage(new SimDisk({}, content), {});
  if (image.kind === "recovered") return image.digest;
  return image.kind === "refused" && image.detail.includes("was not finished") ? "refused" : image.detail;
}

function importInto(disk: SimDisk, replace: boolean): Promise<void> {
  const parts = { host: simHost, clock: new FakeClock(), randomness: createSeededRandomness(1) };
  return importCopy(disk, { database: DATABASE, bytes: COPY, replace }, parts);
}

const emptyDigest = await stateOf(new Map());
const newDigest = await (async () => {
  const disk = new SimDisk();
  await importInto(disk, false);
  return stateOf(crashed(new Map(), disk, disk.operationCount, AS_IT_IS));
})();

describe.each<[string, SimContent, boolean]>([
  ["where nothing was", new Map(), false],
  ["where an empty file was", diskOf({ db: new Uint8Array(0) }), false],
  ["in the place of a closed database", OLD, true],
  ["in the place of a database whose owner was killed", OLD_KILLED, true],
])("an import %s", (name, ground, replace) => {
  it("that a crash interrupts leaves what was there, nothing, or what says that it is not finished", async () => {
    await withOneEngine(async () => {
      const before = await stateOf(ground);
      const disk = new SimDisk({}, ground);
      await importInto(disk, replace);
      const seen = new Map<string, string>();
      const counts = new Map<string, number>();
      const bad: string[] = [];
      for (const { index, options, label } of crashPoints(disk)) {
        const content = crashed(ground, disk, index, options);
        const digest = digestImage(content);
        const state = seen.get(digest) ?? (await stateOf(content));
        const isAllowed = [before, "refused", newDigest].includes(state);
        if (!seen.has(digest) && isAllowed) await importAgain(content, state);
        seen.set(digest, state);
        counts.set(nameOf(state), (counts.get(nameOf(state)) ?? 0) + 1);
        if (!isAllowed || (index === disk.operationCount && state !== newDigest)) bad.push(`${label}: ${state}`);
      }
      report(`import ${name}: ${JSON.stringify(Object.fromEntries(counts))}`);
      expect(bad).toEqual([]);
      expect(counts.get("refused")).toBeGreaterThan(0);
    });
  });

  it("that a fault ends is told, and can be repeated", async () => {
    await withOneEngine(async () => {
      const before = await stateOf(ground);
      const whole = new SimDisk({}, ground);
      await importInto(whole, replace);
      for (let index = 0; index < whole.operationCount; index += 1) {
        for (const kind of ["EIO", "ENOSPC", "short"] as const) {
          for (const mode of ["once", "persistent"] as const) {
            const disk = new SimDisk({}, ground);
            disk.failAt(index, kind, mode);
            const label = `${index} ${kind} ${mode}`;
            const error = await importInto(disk, replace).catch((caught: unknown) => caught);
            expect(error, label).toBeInstanceOf(StemError);
            const content = crashed(ground, disk, disk.operationCount, AS_IT_IS);
            const state = await stateOf(content);
            const isUnknown = (error as StemError).outcome === "unknown";
            expect(isUnknown ? [before, "refused", newDigest] : [before], label).toContain(state);
            // A fault that has passed leaves nothing where nothing was, and says so.
            if (!replace && mode === "once") expect(isUnknown, label).toBe(false);
            await importAgain(content, state);
          }
        }
      }
    });
  });
});

function crashed(ground: SimContent, disk: SimDisk, index: number, options: SimCrashOptions): SimContent {
  const replay = new SimReplay(ground, disk.operations, {});
  replay.moveTo(index);
  return replay.crash(options);
}

function* crashPoints(disk: SimDisk): Generator<{ index: number; options: SimCrashOptions; label: string }> {
  for (let index = 0; index <= disk.operationCount; index += 1) {
    for (const mode of ["killed", "dropped", "torn", "random"] as const) {
      const seeds = mode === "torn" || mode === "random" ? SEEDS : 1;
      for (let seed = 0; seed < seeds; seed += 1) {
        yield { index, options: { mode, random: createSimRandom(seed) }, label: `${index} ${mode} ${seed}` };
      }
    }
  }
}

/** What there is no database of is imported without another word; what there is has to be given up. */
async function importAgain(content: SimContent, state: string): Promise<void> {
  const disk = new SimDisk({}, content);
  await importInto(disk, state !== "refused" && state !== emptyDigest);
  expect(await stateOf(crashed(content, disk, disk.operationCount, AS_IT_IS))).toBe(newDigest);
}

function nameOf(state: string): string {
  if (state === newDigest) return "imported";
  if (state === emptyDigest) return "nothing";
  return state === "refused" ? state : "as before";
}
