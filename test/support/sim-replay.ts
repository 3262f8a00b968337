import { SimBytes } from "./sim-bytes.ts";
import type { SimContent, SimDiskOptions, SimOperation } from "./sim-operations.ts";
import type { SimRandom } from "./sim-random.ts";

const SECTOR = 512;
const KEEP_CHOICES = [0.1, 0.5, 0.9] as const;

/**
 * What a crash leaves behind:
 *
 * - `killed`: everything issued so far; only the process died.
 * - `dropped`: only what was flushed.
 * - `torn`: as `killed`, but of the last unsynced write only the first bytes.
 * - `random`: each 512-byte sector of each unsynced write with probability `keep`, each unsynced truncation likewise,
 *   and the first few of the unsynced directory operations.
 */
export type SimCrashMode = "killed" | "dropped" | "torn" | "random";

/** How to make a crash image. */
export interface SimCrashOptions {
  readonly mode: SimCrashMode;
  /** Decides what is kept in the modes `torn` and `random`. */
  readonly random: SimRandom;
  /** @defaultValue one of 0.1, 0.5 and 0.9, by `random` */
  readonly keep?: number;
}

type DataOperation = Extract<SimOperation, { kind: "write" | "truncate" }>;
type EntryOperation = Extract<SimOperation, { kind: "create" | "delete" }>;

interface ReplayedFile {
  readonly durable: SimBytes;
  readonly live: SimBytes;
  pending: DataOperation[];
}

/** Walks a recording forward, keeping at each operation what is on the disk and what is only in its cache. */
export class SimReplay {
  readonly #operations: readonly SimOperation[];
  readonly #options: SimDiskOptions;
  readonly #files: ReplayedFile[] = [];
  readonly #entries = new Map<string, number>();
  readonly #durableEntries = new Map<string, number>();
  #pendingEntries: EntryOperation[] = [];
  #lastWrite: DataOperation | undefined;
  #position = 0;

  constructor(initial: SimContent, operations: readonly SimOperation[], options: SimDiskOptions) {
    this.#operations = operations;
    this.#options = options;
    for (const [entry, bytes] of initial) {
      this.#entries.set(entry, this.#files.length);
      this.#durableEntries.set(entry, this.#files.length);
      this.#files.push({ durable: bytes.fork(), live: bytes.fork(), pending: [] });
    }
  }

  /** How many operations have been replayed. */
  get position(): number {
    return this.#position;
  }

  /** Replays up to, and without, the operation with this index. */
  moveTo(index: number): void {
    while (this.#position < index) {
      const operation = this.#operations[this.#position];
      if (operation === undefined) throw new RangeError(`There is no operation ${this.#position}`);
      this.#apply(operation);
      this.#position++;
    }
  }

  /** What the disk holds if the machine stops here. */
  crash(options: SimCrashOptions): SimContent {
    const keep = options.keep ?? KEEP_CHOICES[Math.floor(options.random() * KEEP_CHOICES.length)] ?? 0.5;
    const content = new Map<string, SimBytes>();
    for (const [entry, file] of this.#crashedEntries(options)) {
      content.set(entry, this.#crashedBytes(this.#file(file), options, keep));
    }
    return content;
  }

  #apply(operation: SimOperation): void {
    switch (operation.kind) {
      case "write":
      case "truncate":
        applyData(this.#file(operation.file).live, operation);
        this.#file(operation.file).pending.push(operation);
        if (operation.kind === "write") this.#lastWrite = operation;
        return;
      case "flush":
        return this.#flush(operation.file);
      case "failed-flush":
        this.#file(operation.file).pending = [];
        return;
      case "create":
        this.#files[operation.file] = { durable: new SimBytes(), live: new SimBytes(), pending: [] };
        applyEntry(this.#entries, operation);
        this.#pendingEntries.push(operation);
        return;
      case "delete":
        applyEntry(this.#entries, operation);
        this.#pendingEntries.push(operation);
        return;
      case "flush-directory":
        if (this.#options.ignoreDirectoryFlush !== true) this.#flushEntries();
        return;
      case "failed":
        return;
    }
  }

  #flush(number: number): void {
    if (this.#options.ignoreFlush === true) return;
    const file = this.#file(number);
    for (const operation of file.pending) applyData(file.durable, operation);
    file.pending = [];
    if (this.#options.dirent === "ext4") this.#flushEntries();
  }

  #flushEntries(): void {
    for (const operation of this.#pendingEntries) applyEntry(this.#durableEntries, operation);
    this.#pendingEntries = [];
  }

  #crashedEntries(options: SimCrashOptions): ReadonlyMap<string, number> {
    if (options.mode === "dropped") return this.#durableEntries;
    if (options.mode !== "random") return this.#entries;
    // A file system's journal keeps directory operations in order, so what survives is a beginning.
    const kept = Math.floor(options.random() * (this.#pendingEntries.length + 1));
    if (kept === 0) return this.#durableEntries;
    const entries = new Map(this.#durableEntries);
    for (const operation of this.#pendingEntries.slice(0, kept)) applyEntry(entries, operation);
    return entries;
  }

  #crashedBytes(file: ReplayedFile, options: SimCrashOptions, keep: number): SimBytes {
    if (options.mode === "killed") return file.live.fork();
    const torn = options.mode === "torn" ? this.#lastWrite : undefined;
    if (options.mode === "torn" && (torn === undefined || !file.pending.includes(torn))) return file.live.fork();
    const bytes = file.durable.fork();
    if (options.mode === "dropped") return bytes;
    for (const operation of file.pending) {
      if (operation === torn && operation.kind === "write") {
        bytes.write(operation.bytes.subarray(0, Math.floor(options.random() * operation.bytes.length)), operation.at);
      } else if (torn !== undefined) applyData(bytes, operation);
      else keepSome(bytes, operation, options.random, keep);
    }
    return bytes;
  }

  #file(number: number): ReplayedFile {
    const file = this.#files[number];
    if (file === undefined) throw new RangeError(`There is no file ${number}`);
    return file;
  }
}

function applyData(bytes: SimBytes, operation: DataOperation): void {
  if (operation.kind === "write") bytes.write(operation.bytes, operation.at);
  else bytes.resize(operation.size);
}

function applyEntry(entries: Map<string, number>, operation: EntryOperation): void {
  if (operation.kind === "create") entries.set(operation.entry, operation.file);
  else entries.delete(operation.entry);
}

function keepSome(bytes: SimBytes, operation: DataOperation, random: SimRandom, keep: number): void {
  if (operation.kind === "truncate") {
    if (random() < keep) bytes.resize(operation.size);
    return;
  }
  const end = operation.at + operation.bytes.length;
  for (let sector = operation.at - (operation.at % SECTOR); sector < end; sector += SECTOR) {
    if (random() >= keep) continue;
    const from = Math.max(sector, operation.at);
    const to = Math.min(sector + SECTOR, end);
    bytes.write(operation.bytes.subarray(from - operation.at, to - operation.at), from);
  }
}
