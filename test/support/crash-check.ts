import { isDeepStrictEqual } from "node:util";
import { type EnginePool, withOneEngine } from "./crash-check-engine.ts";
import { digestImage, type ImageEngine, recoverImage, type RecoveredImage } from "./crash-check-image.ts";
import type { History } from "./history.ts";
import { SimDisk } from "./sim-disk.ts";
import type { SimContent, SimDiskOptions, SimOperation } from "./sim-operations.ts";
import { createSimRandom } from "./sim-random.ts";
import { type SimCrashMode, SimReplay } from "./sim-replay.ts";

/** One way in which the machine or the process stops. */
export interface CrashKind {
  readonly mode: SimCrashMode;
  /** Probability of each unsynced sector, for `random`. */
  readonly keep?: number;
}

/** Every kind of crash of the failure model. */
export const CRASH_KINDS: readonly CrashKind[] = [
  { mode: "killed" },
  { mode: "dropped" },
  { mode: "torn" },
  { mode: "random", keep: 0.1 },
  { mode: "random", keep: 0.5 },
  { mode: "random", keep: 0.9 },
];

/** Names one crash image of a recording. */
export interface CrashPoint extends CrashKind {
  readonly dirent: "strict" | "ext4";
  /** Changing disk calls that were issued before the crash. */
  readonly index: number;
}

/** What the checks say about one crash image. */
export interface CrashFinding {
  readonly point: CrashPoint;
  /** `lost`: an older state than the acknowledged one. `mixed`: no state at all that ever was. */
  readonly kind: "refused" | "unsound" | "lost" | "mixed";
  readonly detail: string;
}

/** A recorded run, for making crash images of. */
export interface CrashRecording {
  readonly history: History;
  readonly operations: readonly SimOperation[];
  /** What the disk held, durably, before the run. @defaultValue nothing */
  readonly initial?: SimContent;
  readonly seed: number;
  /** Disk lies that are replayed too. */
  readonly disk?: Omit<SimDiskOptions, "dirent">;
  /** How images are recovered. */
  readonly engine: ImageEngine;
}

/** Which images of a recording to check. */
export interface CrashMatrix {
  readonly dirents?: readonly CrashPoint["dirent"][];
  readonly kinds?: readonly CrashKind[];
  /** Only these indexes. @defaultValue every changing call, and the end */
  readonly indexes?: readonly number[];
  /** Of every so many different images, each crash during its own recovery is checked as well. @defaultValue none */
  readonly again?: Readonly<{ every: number }>;
}

/** How many images were checked, and which were bad. */
export interface CrashReport {
  /** Crash points: index, mode and file system. */
  readonly points: number;
  /** Images that differ from each other; each of these was opened. */
  readonly images: number;
  readonly findings: readonly CrashFinding[];
}

/**
 * Makes the crash image of every point and checks that it opens by itself, is sound, holds whole transactions only and
 * all that was acknowledged, and closes cleanly. Images with the same bytes are opened once and judged each.
 */
export function checkCrashes(recording: CrashRecording, matrix: CrashMatrix = {}): Promise<CrashReport> {
  const { dirents = ["strict", "ext4"], kinds = CRASH_KINDS } = matrix;
  const indexes = matrix.indexes ?? Array.from({ length: recording.operations.length + 1 }, (_, index) => index);
  return withOneEngine(async (pool) => {
    const findings: CrashFinding[] = [];
    const images = new RecoveredImages(recording.engine, pool);
    for (const dirent of dirents) {
      const replay = replayOf(recording, dirent);
      for (const index of indexes) {
        replay.moveTo(index);
        for (const kind of kinds) {
          const point = { ...kind, dirent, index };
          const content = crashAt(replay, point, recording.seed);
          const isNew = images.count;
          const finding = judge(await images.recover(content), point, recording.history);
          if (finding !== undefined) findings.push(finding);
          if (matrix.again === undefined || images.count === isNew || images.count % matrix.again.every !== 0) continue;
          findings.push(...(await crashAgain(content, point, recording, images)));
        }
      }
    }
    return { points: dirents.length * indexes.length * kinds.length, images: images.count, findings };
  });
}

/** Crashes at every call that recovering and closing an image make: what was recovered is what is found again. */
async function crashAgain(
  content: SimContent,
  point: CrashPoint,
  { history, engine, seed }: CrashRecording,
  images: RecoveredImages,
): Promise<CrashFinding[]> {
  const disk = new SimDisk({}, content);
  const first = await recoverImage(disk, engine);
  const recovery = { initial: content, operations: disk.operations, seed };
  const findings: CrashFinding[] = [];
  const replay = replayOf(recovery, point.dirent);
  for (let index = 0; index <= disk.operationCount; index++) {
    replay.moveTo(index);
    for (const kind of CRASH_KINDS) {
      const image = await images.recover(crashAt(replay, { ...kind, dirent: point.dirent, index }, seed));
      const finding = judge(image, point, history);
      const where = `after crash ${JSON.stringify(kind)} at call ${index} of the recovery`;
      if (finding !== undefined) findings.push({ ...finding, detail: `${finding.detail} ${where}` });
      else if (!isDeepStrictEqual(image, first))
        findings.push({ point, kind: "mixed", detail: `another state ${where}` });
    }
  }
  return findings;
}

/** Recovers images, those with the same bytes once. */
class RecoveredImages {
  readonly #engine: ImageEngine;
  readonly #pool: EnginePool;
  readonly #known = new Map<string, RecoveredImage>();

  constructor(engine: ImageEngine, pool: EnginePool) {
    this.#engine = engine;
    this.#pool = pool;
  }

  get count(): number {
    return this.#known.size;
  }

  async recover(content: SimContent): Promise<RecoveredImage> {
    const digest = digestImage(content);
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const image = await recoverImage(new SimDisk({}, content), this.#engine);
    if (image.kind !== "recovered") this.#pool.discard();
    this.#known.set(digest, image);
    return image;
  }
}

/** The one image of a point, as {@link checkCrashes} makes it. */
export function crashImage(recording: Omit<CrashRecording, "history" | "engine">, point: CrashPoint): SimContent {
  const replay = replayOf(recording, point.dirent);
  replay.moveTo(point.index);
  return crashAt(replay, point, recording.seed);
}

function replayOf(
  recording: Pick<CrashRecording, "initial" | "operations" | "disk">,
  dirent: CrashPoint["dirent"],
): SimReplay {
  return new SimReplay(recording.initial ?? new Map(), recording.operations, { ...recording.disk, dirent });
}

function crashAt(replay: SimReplay, point: CrashPoint, seed: number): SimContent {
  const { mode, keep } = point;
  // Each image has its own random numbers, so that it can be made again without those before it.
  const random = createSimRandom(seed * 1_000_003 + point.index * 31 + Math.round((keep ?? 0) * 10));
  return replay.crash({ mode, random, ...(keep === undefined ? {} : { keep }) });
}

/** Compares what was recovered with what the history allows at that moment. */
export function judge(image: RecoveredImage, point: CrashPoint, history: History): CrashFinding | undefined {
  if (image.kind !== "recovered") return { point, kind: image.kind, detail: image.detail };
  const { from, to } = history.possibleAt(point.index);
  for (let state = from; state <= to; state++) {
    if (!history.isStruck(state) && history.openedDigest(state) === image.digest) return undefined;
  }
  const older = history.states.findLastIndex(
    (_, state) => state < from && history.openedDigest(state) === image.digest,
  );
  if (older === -1) return { point, kind: "mixed", detail: `no state up to ${to} has this content` };
  return { point, kind: "lost", detail: `state ${older} although ${from} was acknowledged` };
}
