import type {
  StorageAcquisition,
  StorageDriver,
  StorageFileName,
  StorageLease,
  SyncFile,
} from "../../src/contracts/storage-driver.ts";
import { ClosedError, InvalidOptionError, StorageFullError } from "../../src/errors.ts";

const SMALLEST_BUFFER = 4096;

interface MemoryDatabase {
  readonly files: Map<StorageFileName, MemoryBytes>;
  owned: boolean;
}

/**
 * Keeps databases in this driver instance, by name; they are gone with it. A database survives being released and
 * acquired again, and has one owner at a time. Two instances share nothing.
 */
export function memoryStorage(): StorageDriver {
  const databases = new Map<string, MemoryDatabase>();
  const identify = (database: string): string => {
    const name = typeof database === "string" ? database.trim() : "";
    if (name === "") throw new InvalidOptionError("file", database, "a name that is not empty");
    return name;
  };
  return Object.freeze<StorageDriver>({
    name: "memory",
    capabilities: Object.freeze({ persistent: false, durableFlush: true, exclusiveAcrossContexts: false }),
    identify,
    async acquire(name: string): Promise<StorageAcquisition> {
      const path = identify(name);
      const database: MemoryDatabase = databases.get(path) ?? { files: new Map(), owned: false };
      databases.set(path, database);
      if (database.owned) return { role: "member", peer: { description: "another user of this storage", connect: async () => undefined } };
      database.owned = true;
      return { role: "owner", lease: new MemoryLease(path, database) };
    },
  });
}

class MemoryLease implements StorageLease {
  readonly path: string;
  readonly #database: MemoryDatabase;
  #released = false;

  constructor(path: string, database: MemoryDatabase) {
    this.path = path;
    this.#database = database;
  }

  open(name: StorageFileName): SyncFile {
    const { files } = this.#owned();
    const bytes = files.get(name) ?? new MemoryBytes(this.path);
    files.set(name, bytes);
    return new MemoryFile(bytes, () => this.#released);
  }

  exists(name: StorageFileName): boolean {
    return (this.#owned().files.get(name)?.size ?? 0) > 0;
  }

  delete(name: StorageFileName): void {
    this.#owned().files.delete(name);
  }

  verify(): void {
    this.#owned();
  }

  durable(): undefined {
    return undefined;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#database.owned = false;
  }

  #owned(): MemoryDatabase {
    if (this.#released) throw new ClosedError(`The storage lease on "${this.path}"`);
    return this.#database;
  }
}

class MemoryFile implements SyncFile {
  readonly #bytes: MemoryBytes;
  readonly #isReleased: () => boolean;
  #closed = false;

  constructor(bytes: MemoryBytes, isReleased: () => boolean) {
    this.#bytes = bytes;
    this.#isReleased = isReleased;
  }

  read(into: Uint8Array, at: number): number {
    return this.#open().read(into, at);
  }

  write(from: Uint8Array, at: number): void {
    this.#open().write(from, at);
  }

  truncate(size: number): void {
    this.#open().resize(size);
  }

  flush(): void {
    this.#open();
  }

  size(): number {
    return this.#open().size;
  }

  close(): void {
    this.#closed = true;
  }

  #open(): MemoryBytes {
    if (this.#closed || this.#isReleased()) throw new ClosedError("The file");
    return this.#bytes;
  }
}

/** Bytes beyond `size` in the buffer are always zero, so that growing needs no clearing. */
class MemoryBytes {
  readonly #path: string;
  #buffer: Uint8Array = new Uint8Array(0);
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    if (count > 0) into.set(this.#buffer.subarray(at, at + count));
    return count;
  }

  write(from: Uint8Array, at: number): void {
    if (from.length === 0) return;
    const end = at + from.length;
    if (end > this.#size) this.resize(end);
    this.#buffer.set(from, at);
  }

  resize(size: number): void {
    if (size > this.#buffer.length) this.#reserve(size);
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    this.#size = size;
  }

  #reserve(size: number): void {
    try {
      const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2, SMALLEST_BUFFER));
      grown.set(this.#buffer);
      this.#buffer = grown;
    } catch (error) {
      throw new StorageFullError(this.#path, error);
    }
  }
}
