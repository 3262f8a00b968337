import type {
  PeerChannel,
  StorageFileName,
  StorageLease,
  StoragePeer,
  SyncFile,
} from "../../src/contracts/storage-driver.ts";
import { ClosedError } from "../../src/errors.ts";
import { MemoryChannel } from "./memory-channel.ts";
import { MemoryBytes } from "./memory-bytes.ts";
import { OpenedFile } from "./opened-file.ts";

/** One database in memory, and who owns it now. */
export interface MemoryDatabase {
  readonly files: Map<StorageFileName, MemoryBytes>;
  owner: MemoryLease | undefined;
}

/** Sole ownership of a database in memory. */
export class MemoryLease implements StorageLease {
  readonly path: string;
  readonly #database: MemoryDatabase;
  readonly #channels = new Set<MemoryChannel>();
  readonly #held: MemoryChannel[] = [];
  #onPeer: ((channel: PeerChannel) => void) | undefined;
  #released = false;

  constructor(path: string, database: MemoryDatabase) {
    this.path = path;
    this.#database = database;
  }

  open(name: StorageFileName): SyncFile {
    const { files } = this.#owned();
    const bytes = files.get(name) ?? new MemoryBytes(this.path);
    files.set(name, bytes);
    return new OpenedFile(bytes, () => void this.#owned());
  }

  exists(name: StorageFileName): boolean {
    return (this.#owned().files.get(name)?.size ?? 0) > 0;
  }

  delete(name: StorageFileName): void {
    this.#owned().files.delete(name);
  }

  replace(image: Uint8Array): void {
    const file = this.open("db");
    file.write(image, 0);
    file.truncate(image.length);
  }

  verify(): void {
    this.#owned();
  }

  accept(onPeer: (channel: PeerChannel) => void): void {
    this.#owned();
    this.#onPeer = onPeer;
    for (const channel of this.#held.splice(0)) if (channel.isOpen) onPeer(channel);
  }

  durable(): undefined {
    return undefined;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#database.owner = undefined;
    for (const channel of this.#channels) channel.close();
  }

  /** This owner as others see it. */
  toPeer(): StoragePeer {
    return { description: "another user of this storage", connect: async () => this.#admit() };
  }

  #admit(): PeerChannel | undefined {
    if (this.#released) return undefined;
    const [owners, members] = MemoryChannel.pair();
    for (const channel of this.#channels) if (!channel.isOpen) this.#channels.delete(channel);
    this.#channels.add(owners);
    const onPeer = this.#onPeer;
    if (onPeer === undefined) this.#held.push(owners);
    else queueMicrotask(() => onPeer(owners));
    return members;
  }

  #owned(): MemoryDatabase {
    if (this.#released) throw new ClosedError(`The storage lease on "${this.path}"`);
    return this.#database;
  }
}
