import { StorageFullError } from "../../../src/errors.ts";
import type { StorageFileName } from "../../../src/contracts/storage-driver.ts";
import { OPEN, SQLITE } from "./result-codes.ts";
import type { StorageFiles } from "./storage-files.ts";
import { TemporaryFile } from "./temporary-file.ts";
import { addToTable, type WasmCallback } from "./wasm-callbacks.ts";
import type { WasmEngine } from "./wasm-engine.ts";

/** Deliberate defects for control tests: a crash test that does not catch them tests nothing. */
export interface VfsDefects {
  /** Reports our own lock as somebody's reserved lock, so that SQLite never rolls a hot journal back. */
  readonly ownLockIsReserved?: boolean;
}

/** What the VFS needs beside the files. */
export interface VfsSources {
  readonly now: () => number;
  /** Milliseconds that never jump, to measure with. @defaultValue `now` */
  readonly monotonic?: () => number;
  readonly randomBytes: (into: Uint8Array<ArrayBuffer>) => void;
  readonly defects?: VfsDefects;
}

/** `sqlite3_file`: the methods pointer SQLite asks for, and our index of the open file. */
const FILE_BYTES = 8;
const MAX_PATH_BYTES = 512;
/** Writing one sector never damages its neighbours: true of what drivers are built on, and measured as safe. */
const POWERSAFE_OVERWRITE = 0x1000;
const SECTOR_BYTES = 4096;
const JULIAN_EPOCH_MS = 210_866_760_000_000;
const SHORT_READ = SQLITE.IOERR_SHORT_READ;

type OpenFile = StorageFileName | TemporaryFile;

/**
 * Connects one SQLite engine to one database's storage: the only VFS of the library, the same on every platform.
 *
 * Locks are no-ops: a lease is sole ownership. No exception ever reaches SQLite; the last one is kept in `takeFault`
 * for the caller that sees SQLite's result code.
 */
export class StorageVfs {
  readonly #engine: WasmEngine;
  readonly #files: StorageFiles;
  readonly #sources: VfsSources;
  readonly #open: (OpenFile | undefined)[] = [];
  #fault: unknown;
  /** Counts flushes that failed: a commit that saw one has an unknown outcome. */
  failedFlushes = 0;

  constructor(engine: WasmEngine, files: StorageFiles, sources: VfsSources) {
    this.#engine = engine;
    this.#files = files;
    this.#sources = sources;
  }

  /** The storage error behind SQLite's last I/O result code, once. */
  takeFault(): unknown {
    const fault = this.#fault;
    this.#fault = undefined;
    return fault;
  }

  /** Makes this the engine's default VFS; SQLite seeds its randomness through it. */
  register(): void {
    const { exports } = this.#engine;
    const io = this.#methods(this.#ioMethods());
    const vfs = this.#methods(this.#vfsMethods());
    const ioStruct = this.#struct([1, ...io]);
    this.#ioStruct = ioStruct;
    const name = this.#engine.allocateText("stem");
    const noDynamicLibraries = [0, 0, 0, 0];
    const [open, remove, access, fullPath, randomness, sleep, time, lastError, timeInt64] = vfs;
    const fields = [2, FILE_BYTES, MAX_PATH_BYTES, 0, name, 0, open, remove, access, fullPath, ...noDynamicLibraries];
    const struct = this.#struct([...fields, randomness, sleep, time, lastError, timeInt64] as number[]);
    const code = exports.sqlite3_vfs_register(struct, 1);
    if (code !== SQLITE.OK) throw new Error(`The VFS was refused with result code ${code}.`);
  }

  #ioStruct = 0;

  #methods(callbacks: readonly WasmCallback[]): number[] {
    return addToTable(this.#engine.exports.__indirect_function_table, callbacks);
  }

  #struct(fields: readonly number[]): number {
    const pointer = this.#engine.allocate(fields.length * 4);
    fields.forEach((value, index) => this.#engine.view.setUint32(pointer + index * 4, value, true));
    return pointer;
  }

  /** Runs `work`; a throw becomes `code`, or "disk full", and is kept for `takeFault`. */
  #guarded(code: number, work: () => number): number {
    try {
      return work();
    } catch (error) {
      this.#fault = error;
      return error instanceof StorageFullError ? SQLITE.FULL : code;
    }
  }

  /** As `#guarded`, for what changes storage: refused once the files are frozen. */
  #mutating(code: number, work: () => number): number {
    return this.#files.frozen ? code : this.#guarded(code, work);
  }

  #fileAt(pointer: number): OpenFile {
    const file = this.#open[this.#engine.view.getUint32(pointer + 4, true)];
    if (file === undefined) throw new Error("SQLite used a file after closing it.");
    return file;
  }

  #ioMethods(): WasmCallback[] {
    return [
      { signature: "ii", call: (file: number) => this.#close(file) },
      { signature: "iiiij", call: (file: number, to: number, n: number, at: bigint) => this.#read(file, to, n, at) },
      {
        signature: "iiiij",
        call: (file: number, from: number, n: number, at: bigint) => this.#write(file, from, n, at),
      },
      { signature: "iij", call: (file: number, size: bigint) => this.#truncate(file, size) },
      { signature: "iii", call: (file: number) => this.#sync(file) },
      { signature: "iii", call: (file: number, out: number) => this.#size(file, out) },
      { signature: "iii", call: () => SQLITE.OK },
      { signature: "iii", call: () => SQLITE.OK },
      { signature: "iii", call: (_file: number, out: number) => this.#checkReservedLock(out) },
      { signature: "iiii", call: () => SQLITE.NOTFOUND },
      { signature: "ii", call: () => SECTOR_BYTES },
      { signature: "ii", call: () => POWERSAFE_OVERWRITE },
    ];
  }

  #vfsMethods(): WasmCallback[] {
    return [
      {
        signature: "iiiiii",
        call: (_vfs: number, name: number, file: number, flags: number, out: number) =>
          this.#openFile(name, file, flags, out),
      },
      { signature: "iiii", call: (_vfs: number, name: number) => this.#delete(name) },
      {
        signature: "iiiii",
        call: (_vfs: number, name: number, _flags: number, out: number) => this.#access(name, out),
      },
      {
        signature: "iiiii",
        call: (_vfs: number, name: number, n: number, out: number) => this.#fullPath(name, n, out),
      },
      { signature: "iiii", call: (_vfs: number, n: number, out: number) => this.#randomness(n, out) },
      { signature: "iii", call: (_vfs: number, microseconds: number) => microseconds },
      { signature: "iii", call: (_vfs: number, out: number) => this.#time(out) },
      { signature: "iiii", call: () => SQLITE.OK },
      { signature: "iii", call: (_vfs: number, out: number) => this.#timeInt64(out) },
    ];
  }

  #openFile(name: number, file: number, flags: number, out: number): number {
    // A null methods pointer tells SQLite not to close a file whose opening failed.
    this.#engine.view.setUint32(file, 0, true);
    return this.#guarded(SQLITE.CANTOPEN, () => {
      const opened = name === 0 ? new TemporaryFile() : nameFor(flags);
      if (!(opened instanceof TemporaryFile)) this.#files.open(opened);
      const free = this.#open.indexOf(undefined);
      const index = free === -1 ? this.#open.length : free;
      this.#open[index] = opened;
      const view = this.#engine.view;
      view.setUint32(file + 4, index, true);
      view.setUint32(file, this.#ioStruct, true);
      if (out !== 0) view.setUint32(out, flags, true);
      return SQLITE.OK;
    });
  }

  #close(pointer: number): number {
    return this.#guarded(SQLITE.IOERR_CLOSE, () => {
      const index = this.#engine.view.getUint32(pointer + 4, true);
      const file = this.#open[index];
      this.#open[index] = undefined;
      if (file !== undefined && !(file instanceof TemporaryFile)) this.#files.close(file);
      return SQLITE.OK;
    });
  }

  #read(pointer: number, to: number, count: number, at: bigint): number {
    return this.#guarded(SQLITE.IOERR_READ, () => {
      const file = this.#fileAt(pointer);
      const into = this.#engine.bytes.subarray(to, to + count);
      const got =
        file instanceof TemporaryFile ? file.read(into, Number(at)) : this.#files.read(file, into, Number(at));
      if (got === count) return SQLITE.OK;
      // SQLite relies on zeros behind a short read.
      into.fill(0, got);
      return SHORT_READ;
    });
  }

  #write(pointer: number, from: number, count: number, at: bigint): number {
    return this.#mutating(SQLITE.IOERR_WRITE, () => {
      const file = this.#fileAt(pointer);
      const bytes = this.#engine.bytes.subarray(from, from + count);
      if (file instanceof TemporaryFile) file.write(bytes, Number(at));
      else this.#files.write(file, bytes, Number(at));
      return SQLITE.OK;
    });
  }

  #truncate(pointer: number, size: bigint): number {
    return this.#mutating(SQLITE.IOERR_TRUNCATE, () => {
      const file = this.#fileAt(pointer);
      if (file instanceof TemporaryFile) file.truncate(Number(size));
      else this.#files.open(file).truncate(Number(size));
      return SQLITE.OK;
    });
  }

  #sync(pointer: number): number {
    const code = this.#mutating(SQLITE.IOERR_FSYNC, () => {
      const file = this.#fileAt(pointer);
      if (!(file instanceof TemporaryFile)) this.#files.open(file).flush();
      return SQLITE.OK;
    });
    if (code !== SQLITE.OK) this.failedFlushes += 1;
    return code;
  }

  #size(pointer: number, out: number): number {
    return this.#guarded(SQLITE.IOERR_FSTAT, () => {
      const file = this.#fileAt(pointer);
      const size = file instanceof TemporaryFile ? file.size() : this.#files.open(file).size();
      this.#engine.view.setBigInt64(out, BigInt(size), true);
      return SQLITE.OK;
    });
  }

  #checkReservedLock(out: number): number {
    // A lock we hold ourselves is nobody's: SQLite has to see a hot journal as hot.
    this.#engine.view.setUint32(out, this.#sources.defects?.ownLockIsReserved === true ? 1 : 0, true);
    return SQLITE.OK;
  }

  #delete(name: number): number {
    return this.#mutating(SQLITE.IOERR_DELETE, () => {
      this.#files.delete(storageName(this.#engine.readText(name)));
      return SQLITE.OK;
    });
  }

  #access(name: number, out: number): number {
    return this.#guarded(SQLITE.IOERR_ACCESS, () => {
      const exists = this.#files.lease.exists(storageName(this.#engine.readText(name)));
      this.#engine.view.setUint32(out, exists ? 1 : 0, true);
      return SQLITE.OK;
    });
  }

  #fullPath(name: number, size: number, out: number): number {
    const bytes = this.#engine.bytes;
    const end = bytes.indexOf(0, name);
    if (end - name + 1 > size) return SQLITE.CANTOPEN;
    bytes.copyWithin(out, name, end + 1);
    return SQLITE.OK;
  }

  #randomness(count: number, out: number): number {
    const random = new Uint8Array(count);
    this.#sources.randomBytes(random);
    this.#engine.bytes.set(random, out);
    return count;
  }

  #time(out: number): number {
    this.#engine.view.setFloat64(out, (this.#sources.now() + JULIAN_EPOCH_MS) / 86_400_000, true);
    return SQLITE.OK;
  }

  #timeInt64(out: number): number {
    this.#engine.view.setBigInt64(out, BigInt(this.#sources.now() + JULIAN_EPOCH_MS), true);
    return SQLITE.OK;
  }
}

function nameFor(flags: number): OpenFile {
  if ((flags & OPEN.MAIN_DB) !== 0) return "db";
  if ((flags & OPEN.WAL) !== 0) return "wal";
  return (flags & OPEN.MAIN_JOURNAL) !== 0 ? "journal" : new TemporaryFile();
}

function storageName(path: string): StorageFileName {
  if (path.endsWith("-wal")) return "wal";
  return path.endsWith("-journal") ? "journal" : "db";
}
