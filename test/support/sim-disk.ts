import type { StorageAcquisition, StorageDriver, StorageLease } from "../../src/contracts/storage-driver.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { SimBytes } from "./sim-bytes.ts";
import { type SimFaultKind, type SimFaultMode, SimFaults, toFaultError } from "./sim-faults.ts";
import { type SimInode, SimLease } from "./sim-lease.ts";
import type { SimContent, SimDiskOptions, SimOperation } from "./sim-operations.ts";
import { type SimCrashOptions, SimReplay } from "./sim-replay.ts";

/**
 * A storage driver on a simulated disk, for crash tests. Run a workload once; the disk records every call that changes
 * it, and then gives the disk that a crash would have left at any of these calls. Reads see everything written.
 *
 * @example
 * const disk = new SimDisk();
 * await runWorkload(disk);
 * for (let index = 0; index <= disk.operationCount; index++) {
 *   await check(disk.crashAt(index, { mode: "random", random }));
 * }
 */
export class SimDisk implements StorageDriver {
  readonly name = "sim-disk";
  readonly capabilities = Object.freeze({ persistent: true, durableFlush: true, exclusiveAcrossContexts: false });
  readonly #options: SimDiskOptions;
  readonly #initial: SimContent;
  readonly #operations: SimOperation[] = [];
  readonly #entries = new Map<string, SimInode>();
  readonly #owned = new Set<string>();
  readonly #faults = new SimFaults();
  readonly #readFaults = new SimFaults();
  #inodes = 0;
  #reads = 0;
  #replay: SimReplay | undefined;

  /** `content` is what the disk holds, durably, at the start; it is not changed. */
  constructor(options: SimDiskOptions = {}, content: SimContent = new Map()) {
    this.#options = options;
    this.#initial = content;
    for (const [entry, bytes] of content) this.#entries.set(entry, { number: this.#inodes++, bytes: bytes.fork() });
  }

  /** How many calls that change the disk were made so far: the index that the next one gets. */
  get operationCount(): number {
    return this.#operations.length;
  }

  /** How many reads were made so far: the index that the next one gets. */
  get readCount(): number {
    return this.#reads;
  }

  /** Everything recorded so far, in order. */
  get operations(): readonly SimOperation[] {
    return this.#operations;
  }

  identify(database: string): string {
    const name = typeof database === "string" ? database.trim() : "";
    if (name === "") throw new InvalidOptionError("file", database, "a name that is not empty");
    return name;
  }

  async acquire(database: string): Promise<StorageAcquisition> {
    const path = this.identify(database);
    if (this.#owned.has(path))
      return { role: "member", peer: { description: "another user of this disk", connect: async () => undefined } };
    this.#owned.add(path);
    return { role: "owner", lease: this.#lease(path) };
  }

  /**
   * The disk as a crash leaves it when the operations before `index` were issued and no other; it is not owned by
   * anybody and records anew. Rising indexes are fast: a falling one replays the recording from its start.
   */
  crashAt(index: number, options: SimCrashOptions): SimDisk {
    if (this.#replay === undefined || this.#replay.position > index) {
      this.#replay = new SimReplay(this.#initial, this.#operations, this.#options);
    }
    this.#replay.moveTo(index);
    return new SimDisk(this.#options, this.#replay.crash(options));
  }

  /** Lets the changing call that gets this index fail, and with `persistent` all later ones too. */
  failAt(index: number, kind: SimFaultKind, mode: SimFaultMode): void {
    this.#faults.plan(index, kind, mode);
  }

  /** Lets the read that gets this index fail with `EIO`, and with `persistent` all later ones too. */
  failReadAt(index: number, mode: SimFaultMode): void {
    this.#readFaults.plan(index, "EIO", mode);
  }

  /** Forgets all planned faults: the disk is well again. */
  clearFaults(): void {
    this.#faults.clear();
    this.#readFaults.clear();
  }

  #lease(path: string): StorageLease {
    return new SimLease(path, {
      find: (entry) => this.#entries.get(entry),
      create: (entry) => this.#create(entry, path),
      delete: (entry) => {
        this.#perform("delete", path, { kind: "delete", entry });
        this.#entries.delete(entry);
      },
      write: (inode, bytes, at) => this.#write(inode, bytes, at, path),
      truncate: (inode, size) => {
        this.#perform("truncate", path, { kind: "truncate", file: inode.number, size });
        inode.bytes.resize(size);
      },
      flush: (inode) => this.#perform("fsync", path, { kind: "flush", file: inode.number }),
      flushDirectory: () => this.#perform("fsync", path, { kind: "flush-directory" }),
      beforeRead: () => this.#countRead(path),
      release: () => this.#owned.delete(path),
    });
  }

  #create(entry: string, path: string): SimInode {
    const inode: SimInode = { number: this.#inodes, bytes: new SimBytes() };
    this.#perform("open", path, { kind: "create", entry, file: inode.number });
    this.#inodes++;
    this.#entries.set(entry, inode);
    return inode;
  }

  #write(inode: SimInode, bytes: Uint8Array, at: number, path: string): void {
    const fault = this.#faults.at(this.#operations.length);
    const written = fault === "short" ? bytes.slice(0, bytes.length >> 1) : bytes.slice();
    const operation = { kind: "write", file: inode.number, at, bytes: written } as const;
    if (fault === "short") this.#operations.push(operation);
    else this.#perform("write", path, operation);
    inode.bytes.write(written, at);
    if (fault === "short") throw toFaultError(fault, "write", path);
  }

  #perform(call: string, path: string, operation: SimOperation): void {
    const fault = this.#faults.at(this.#operations.length);
    if (fault === undefined) {
      this.#operations.push(operation);
      return;
    }
    const { kind } = operation;
    this.#operations.push(kind === "flush" ? { kind: "failed-flush", file: operation.file } : { kind: "failed" });
    throw toFaultError(fault, call, path);
  }

  #countRead(path: string): void {
    const fault = this.#readFaults.at(this.#reads++);
    if (fault !== undefined) throw toFaultError(fault, "read", path);
  }
}
