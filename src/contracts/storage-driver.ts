/** The files one database consists of. A driver maps them to names of its own choosing. */
export type StorageFileName = "db" | "wal" | "journal";

/**
 * One open file. Every call is synchronous: SQLite runs inside WebAssembly and cannot wait.
 *
 * A call that cannot do all of what was asked throws a `StorageIoError` or `StorageFullError`; it never does a part.
 */
export interface SyncFile {
  /**
   * Fills `into` from byte offset `at` and returns how many bytes there were; fewer only at the end of the file.
   * `into` may be a view of WebAssembly memory: keep no reference to it.
   */
  read(into: Uint8Array, at: number): number;
  /** Writes all of `from` at byte offset `at`, growing the file; a gap reads as zeros. */
  write(from: Uint8Array, at: number): void;
  /** Sets the size in bytes. */
  truncate(size: number): void;
  /** Returns once all earlier writes of this file, and its directory entry, survive a power cut. */
  flush(): void;
  size(): number;
  close(): void;
}

/** Sole ownership of one database's bytes, from `acquire` until `release` or the death of its context. */
export interface StorageLease {
  /** What error messages call the database: a path on Node. */
  readonly path: string;
  /** The driver that has the bytes. Absent where it is the one that was asked. */
  readonly driver?: StorageFacts;
  /** Opens a file, creating it when absent. */
  open(name: StorageFileName): SyncFile;
  /** Whether the file is there and not empty. */
  exists(name: StorageFileName): boolean;
  /** Deletes a file; when absent, does nothing. With `flush`, the deletion survives a power cut. */
  delete(name: StorageFileName, options: Readonly<{ flush: boolean }>): void;
  /**
   * Makes `image` the whole content of `db` in one step: after a crash there is what was there before, or all of this.
   * Safe on return where a flush is (`durableFlush`), else once `durable` says so. What was opened of `db` before is
   * of no use afterwards. After a `StorageFullError` the old content stands; after any other error either may.
   * Absent where that cannot be done.
   */
  replace?(image: Uint8Array): void;
  /**
   * Takes over the log that an ordinary SQLite program left beside the database when it crashed: afterwards it is
   * `wal` or `journal` of this lease. Calls `prepare` first, and only when there is one. Throws
   * `DatabaseReplacedError` when there is a log of ours as well. Absent where no other program can reach the files.
   */
  adoptLogs?(prepare: () => void): void;
  /**
   * Throws `DatabaseReplacedError` when the open database is no longer the one its name leads to, `StorageEvictedError`
   * when a browser removed it, and `OwnershipLostError` when this context may not be its owner any more. Called before
   * acknowledgements, so it has to be cheap.
   */
  verify(): void;
  /**
   * From now on `onPeer` is given each channel that a member opens, those that were opened before included. Absent
   * where no other context can reach the owner. `release` closes all channels.
   */
  accept?(onPeer: (channel: PeerChannel) => void): void;
  /**
   * Resolves once everything written so far survives what the driver's capabilities promise. A rejection with
   * `StorageFullError`, `OwnershipLostError` or `StorageEvictedError` says that nothing written since the last time was
   * stored. After any rejection files that are opened again show what is stored.
   */
  durable(): Promise<void> | undefined;
  /** Gives ownership up. Idempotent; the files must have been closed. */
  release(): Promise<void>;
}

/** What a {@link PeerChannel} tells. */
export interface PeerListener {
  /** Called for each message, in the order they were sent. */
  onMessage(message: unknown): void;
  /** Called once, whoever closed the channel: nothing arrives any more, and what was sent last may be lost. */
  onClose(cause: unknown): void;
}

/** A line between two contexts on one database: whole messages, in order, without loss while it is open. */
export interface PeerChannel {
  /**
   * Sends one message of JSON values; it is copied before this returns. Without effect on a closed channel. Throws
   * `PayloadTooLargeError` for a message the channel does not take; then nothing was sent.
   */
  send(message: unknown): void;
  /** Sets who is told. To be called once; messages that arrived before are told then, in order. */
  listen(listener: PeerListener): void;
  /** Whether the open channel keeps the process alive. @defaultValue `false` */
  keepAlive(on: boolean): void;
  /** Closes the channel once what was sent has gone out. Idempotent. */
  close(): void;
  /** Closes the channel at once; what was sent last may be lost. Absent where `close` does not wait for the other side. */
  destroy?(): void;
}

/** Somebody else owns the database. */
export interface StoragePeer {
  /** A sentence fragment for messages, such as `process 4711`. */
  readonly description: string;
  /** Opens a line to the owner; `undefined` when it is not there any more. */
  connect(): Promise<PeerChannel | undefined>;
}

export type StorageAcquisition =
  | { readonly role: "owner"; readonly lease: StorageLease }
  | { readonly role: "member"; readonly peer: StoragePeer };

/** What an owner is going to ask of a storage. */
export interface AcquireOptions {
  /**
   * `relaxed`: what `durable` stored need not survive a power cut, only the end of the context. @defaultValue `"full"`
   */
  readonly durability?: "full" | "relaxed";
}

export interface StorageCapabilities {
  /** The bytes outlive the context that wrote them. */
  readonly persistent: boolean;
  /** `SyncFile.flush` alone makes bytes survive a power cut; without it, only `durable()` does. */
  readonly durableFlush: boolean;
  /** Ownership is exclusive between processes (or tabs), not only inside this one. */
  readonly exclusiveAcrossContexts: boolean;
}

/** What a driver says of itself. */
export interface StorageFacts {
  readonly name: string;
  readonly capabilities: StorageCapabilities;
}

/** Where the bytes of a database live, and who owns them. A driver never sees SQL. */
export interface StorageDriver extends StorageFacts {
  /**
   * The canonical name of a database: two names of one database give the same answer. Touches nothing.
   *
   * Throws `NotAQueueDatabaseError` for what can never be a database (a folder, a pipe, a device) and
   * `StorageReadOnlyError` for what cannot be written.
   */
  identify(database: string): string;
  /**
   * Becomes the owner, or says who is. Never waits for the present owner and never takes a living owner's place.
   * What a dead owner left behind is taken over at once.
   */
  acquire(database: string, options?: AcquireOptions): Promise<StorageAcquisition>;
  /**
   * The present owner, or `undefined` when there is none: takes nothing and leaves the files alone. Absent where
   * ownership is not exclusive between contexts.
   */
  meet?(database: string): Promise<StoragePeer | undefined>;
}
