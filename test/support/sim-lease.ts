import type { StorageFileName, StorageLease, SyncFile } from "../../src/contracts/storage-driver.ts";
import { ClosedError, DatabaseReplacedError } from "../../src/errors.ts";
import type { SimBytes } from "./sim-bytes.ts";

/** A file of the simulated disk; it lives on while it is open after its entry was deleted. */
export interface SimInode {
  readonly number: number;
  readonly bytes: SimBytes;
}

/** What a lease may do to its disk. Every call that changes something is recorded, and may throw a planned fault. */
export interface SimDiskCalls {
  find(entry: string): SimInode | undefined;
  create(entry: string): SimInode;
  delete(entry: string): void;
  write(inode: SimInode, bytes: Uint8Array, at: number): void;
  truncate(inode: SimInode, size: number): void;
  flush(inode: SimInode): void;
  flushDirectory(): void;
  beforeRead(): void;
  release(): void;
}

/** Ownership of one database on a simulated disk. */
export class SimLease implements StorageLease {
  readonly path: string;
  readonly #disk: SimDiskCalls;
  #database: SimInode | undefined;
  #released = false;

  constructor(path: string, disk: SimDiskCalls) {
    this.path = path;
    this.#disk = disk;
  }

  open(name: StorageFileName): SyncFile {
    const disk = this.#owned();
    const found = disk.find(this.#entry(name));
    const inode = found ?? disk.create(this.#entry(name));
    if (name === "db") this.#database = inode;
    return new SimFile(inode, () => this.#owned());
  }

  exists(name: StorageFileName): boolean {
    return (this.#owned().find(this.#entry(name))?.bytes.size ?? 0) > 0;
  }

  delete(name: StorageFileName, options: Readonly<{ flush: boolean }>): void {
    const disk = this.#owned();
    const entry = this.#entry(name);
    if (disk.find(entry) !== undefined) disk.delete(entry);
    if (options.flush) disk.flushDirectory();
  }

  verify(): void {
    const named = this.#owned().find(this.#entry("db"));
    if (this.#database !== undefined && named !== this.#database) {
      throw new DatabaseReplacedError(this.path, "was deleted while it was open");
    }
  }

  durable(): undefined {
    return undefined;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#disk.release();
  }

  #entry(name: StorageFileName): string {
    return `${this.path}/${name}`;
  }

  #owned(): SimDiskCalls {
    if (this.#released) throw new ClosedError(`The storage lease on "${this.path}"`);
    return this.#disk;
  }
}

class SimFile implements SyncFile {
  readonly #inode: SimInode;
  readonly #owned: () => SimDiskCalls;
  #entryIsFlushed = false;
  #closed = false;

  constructor(inode: SimInode, owned: () => SimDiskCalls) {
    this.#inode = inode;
    this.#owned = owned;
  }

  read(into: Uint8Array, at: number): number {
    this.#open().beforeRead();
    return this.#inode.bytes.read(into, at);
  }

  write(from: Uint8Array, at: number): void {
    this.#open().write(this.#inode, from, at);
  }

  truncate(size: number): void {
    this.#open().truncate(this.#inode, size);
  }

  /** As the Node driver: the first flush after each opening covers the entry, whoever created it. */
  flush(): void {
    const disk = this.#open();
    disk.flush(this.#inode);
    if (this.#entryIsFlushed) return;
    disk.flushDirectory();
    this.#entryIsFlushed = true;
  }

  size(): number {
    this.#open();
    return this.#inode.bytes.size;
  }

  close(): void {
    this.#closed = true;
  }

  #open(): SimDiskCalls {
    if (this.#closed) throw new ClosedError("The file");
    return this.#owned();
  }
}
