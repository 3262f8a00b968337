import type {
  PeerChannel,
  StorageFacts,
  StorageFileName,
  StorageLease,
  SyncFile,
} from "../../../src/contracts/storage-driver.ts";
import { ClosedError, OwnershipLostError, StorageEvictedError } from "../../../src/errors.ts";
import { OpfsFile } from "./opfs-file.ts";
import { lastPart, type OpfsHandles, opfsFilePath } from "./opfs-handles.ts";
import { webErrorName } from "./web-errors.ts";
import type { WebOwnership } from "./web-ownership.ts";

/** What the driver says of itself; its leases say it too, since another driver may pass databases on to it. */
export const OPFS: StorageFacts = Object.freeze({
  name: "opfs",
  capabilities: Object.freeze({ persistent: true, durableFlush: true, exclusiveAcrossContexts: true }),
});

/** The files of one database, for as long as this context owns it. */
export class OpfsLease implements StorageLease {
  readonly path: string;
  readonly driver: StorageFacts = OPFS;
  readonly #ownership: WebOwnership;
  readonly #handles: OpfsHandles;
  #released: Promise<void> | undefined;
  #isLooking = false;
  #isEvicted = false;

  constructor(path: string, ownership: WebOwnership, handles: OpfsHandles) {
    this.path = path;
    this.#ownership = ownership;
    this.#handles = handles;
  }

  open(name: StorageFileName): SyncFile {
    this.#checkOwned();
    return this.#file(name);
  }

  exists(name: StorageFileName): boolean {
    this.#checkOwned();
    return this.#file(name).size() > 0;
  }

  /** Leaves an empty file: an entry cannot be removed by a synchronous call, nor while its handle is open. */
  delete(name: StorageFileName, options: Readonly<{ flush: boolean }>): void {
    this.#checkOwned();
    const file = this.#file(name);
    if (file.size() > 0) file.truncate(0);
    if (options.flush) file.flush();
  }

  /**
   * What the browser or the user deleted stays readable through its open handle, and no synchronous call tells. So a
   * look at the folder is begun, one at a time, and what it found is thrown by the call after it.
   */
  verify(): void {
    this.#checkOwned();
    if (this.#isEvicted) throw new StorageEvictedError(this.path);
    if (!this.#ownership.isInPlace()) throw new OwnershipLostError(this.path, "its lock was taken away");
    if (!this.#isLooking) void this.#look();
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
    // The lock goes last: the next owner finds the handles closed. Chromium never comes back from closing one whose file
    // it has removed; nobody can be in the way of that any more.
    if (!this.#isEvicted) for (const handle of Object.values(this.#handles.files)) handle.close();
    await this.#ownership.release();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      await this.#handles.folder.getFileHandle(lastPart(this.path));
    } catch (error) {
      // Any other fault says nothing about the file.
      if (webErrorName(error) === "NotFoundError") this.#isEvicted = true;
    }
    this.#isLooking = false;
  }

  #file(name: StorageFileName): OpfsFile {
    const isReleased = (): boolean => this.#released !== undefined;
    return new OpfsFile(this.#handles.files[name], opfsFilePath(this.path, name), isReleased);
  }

  #checkOwned(): void {
    if (this.#released !== undefined) throw new ClosedError(`The storage lease on "${this.path}"`);
  }
}
