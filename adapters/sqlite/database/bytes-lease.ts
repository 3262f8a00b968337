import type { StorageFileName, StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import { TemporaryFile } from "./temporary-file.ts";

/** Files in memory that only their maker knows: to open the bytes of a database before they are stored anywhere. */
export class BytesLease implements StorageLease {
  readonly path: string;
  readonly #files = new Map<StorageFileName, TemporaryFile>();

  /** `path` is what errors call the database. */
  constructor(path: string, database: Uint8Array) {
    this.path = path;
    this.#file("db").write(database, 0);
  }

  /** What the database consists of now, copied. */
  get database(): Uint8Array<ArrayBuffer> {
    const file = this.#file("db");
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0);
    return bytes;
  }

  open(name: StorageFileName): SyncFile {
    const file = this.#file(name);
    return {
      read: (into, at) => file.read(into, at),
      write: (from, at) => file.write(from, at),
      truncate: (size) => file.truncate(size),
      flush: () => undefined,
      size: () => file.size(),
      close: () => undefined,
    };
  }

  exists(name: StorageFileName): boolean {
    return (this.#files.get(name)?.size() ?? 0) > 0;
  }

  delete(name: StorageFileName): void {
    this.#files.delete(name);
  }

  verify(): void {
    // Nobody else can reach them.
  }

  durable(): undefined {
    return undefined;
  }

  async release(): Promise<void> {
    this.#files.clear();
  }

  #file(name: StorageFileName): TemporaryFile {
    const file = this.#files.get(name) ?? new TemporaryFile();
    this.#files.set(name, file);
    return file;
  }
}
