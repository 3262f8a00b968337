import { existsSync, renameSync, statSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import type { PeerChannel, StorageFileName, StorageLease, SyncFile } from "../../src/contracts/storage-driver.ts";
import { ClosedError, DatabaseReplacedError, MultipleLinksError } from "../../src/errors.ts";
import { adoptForeignLogs } from "./node-adoption.ts";
import { newImagePath, nodeFilePath } from "./node-file-path.ts";
import { flushDirectory, hasCode, storageFailure } from "./node-errors.ts";
import { NodeFile } from "./node-file.ts";
import type { Ownership } from "./node-listening-ownership.ts";

const PERMISSIONS = 0o777;

/** The files of one database, for as long as this context owns it. */
export class NodeLease implements StorageLease {
  readonly path: string;
  readonly #ownership: Ownership;
  readonly #files = new Set<NodeFile>();
  #database: NodeFile | undefined;
  /** What the database was last replaced by; open so that `verify` can tell whether it is still the one. */
  #image: NodeFile | undefined;
  #released: Promise<void> | undefined;

  constructor(path: string, ownership: Ownership) {
    this.path = path;
    this.#ownership = ownership;
  }

  open(name: StorageFileName): SyncFile {
    this.#checkOwned();
    const file = new NodeFile(nodeFilePath(this.path, name), (closed) => this.#forget(closed));
    this.#files.add(file);
    if (name === "db") this.#database = this.#withOneLink(file);
    return file;
  }

  exists(name: StorageFileName): boolean {
    this.#checkOwned();
    const path = nodeFilePath(this.path, name);
    try {
      return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
    } catch (error) {
      throw storageFailure("stat", path, error);
    }
  }

  delete(name: StorageFileName, options: Readonly<{ flush: boolean }>): void {
    this.#checkOwned();
    const path = nodeFilePath(this.path, name);
    try {
      unlinkSync(path);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw storageFailure("unlink", path, error);
    }
    if (options.flush) flushDirectory(dirname(this.path));
  }

  /** Writes a new file beside the old one and renames it. It has the permissions of the old one. */
  replace(image: Uint8Array): void {
    this.#checkOwned();
    const path = newImagePath(this.path);
    const mode = (this.#database ?? this.#image)?.stat().mode ?? this.#statNamed()?.mode;
    // The folder is flushed once it has the new entry.
    const file = new NodeFile(path, (closed) => this.#forget(closed), true);
    this.#files.add(file);
    try {
      if (mode !== undefined) file.setMode(Number(mode) & PERMISSIONS);
      file.truncate(0);
      file.write(image, 0);
      file.flush();
      // Not everywhere may an open file be replaced.
      this.#database?.close();
      this.#image?.close();
      renameSync(path, this.path);
    } catch (error) {
      file.close();
      removeNewImage(this.path);
      throw storageFailure("rename", path, error);
    }
    this.#image = file;
    flushDirectory(dirname(this.path));
  }

  adoptLogs(prepare: () => void): void {
    this.#checkOwned();
    adoptForeignLogs(this.path, prepare);
  }

  /** Takes three system calls, about 10 microseconds. */
  verify(): void {
    this.#checkOwned();
    if (!this.#ownership.isInPlace()) {
      throw new DatabaseReplacedError(this.path, "lost its lock folder, so that another process may open it too");
    }
    const open = (this.#database ?? this.#image)?.stat();
    if (open === undefined) return;
    if (open.nlink === 0n) throw new DatabaseReplacedError(this.path, "was deleted while it was open");
    const named = this.#statNamed();
    if (named === undefined) throw new DatabaseReplacedError(this.path, "was moved away while it was open");
    if (named.ino !== open.ino || named.dev !== open.dev) {
      throw new DatabaseReplacedError(this.path, "was replaced by another file while it was open");
    }
  }

  accept(onPeer: (channel: PeerChannel) => void): void {
    this.#checkOwned();
    this.#ownership.accept(onPeer);
  }

  durable(): undefined {
    return undefined;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    // A file left open would be written by two owners; the lock goes last.
    for (const file of this.#files) file.close();
    await this.#ownership.release();
  }

  #statNamed(): { readonly ino: bigint; readonly dev: bigint; readonly mode: bigint } | undefined {
    try {
      return statSync(this.path, { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      throw storageFailure("stat", this.path, error);
    }
  }

  #withOneLink(file: NodeFile): NodeFile {
    const links = Number(file.stat().nlink);
    if (links <= 1) return file;
    file.close();
    throw new MultipleLinksError(this.path, links);
  }

  #forget(file: NodeFile): void {
    this.#files.delete(file);
    if (this.#database === file) this.#database = undefined;
    if (this.#image === file) this.#image = undefined;
  }

  #checkOwned(): void {
    if (this.#released !== undefined) throw new ClosedError(`The storage lease on "${this.path}"`);
  }
}

/** Removes what a crash left of {@link NodeLease.replace}; for whoever owns the database. */
export function removeNewImage(database: string): void {
  const path = newImagePath(database);
  try {
    if (existsSync(path)) unlinkSync(path);
  } catch (error) {
    throw storageFailure("unlink", path, error);
  }
}
