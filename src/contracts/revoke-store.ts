/** A task that must not run, or, with `terminate`, must stop at its next checkpoint. */
export interface RevokeEntry {
  readonly namespace: string;
  readonly taskId: string;
  /** Only a greater version replaces a stored entry. `generateRevokeVersion` makes one. */
  readonly version: number;
  readonly issuedAt: Date;
  readonly terminate: boolean;
  readonly reason?: string;
  readonly requestedBy?: string;
  /** Without it the entry stays until it is replaced. */
  readonly expiresAt?: Date;
}

/** Durable revocations, newest version wins. */
export interface RevokeStore {
  /** For each input, in order, the entry that is stored afterwards. One transaction. */
  upsertAll(entries: readonly RevokeEntry[]): Promise<readonly RevokeEntry[]>;
  get(namespace: string, taskId: string): Promise<RevokeEntry | null>;
  /** All entries of a namespace, expired ones too, by ascending version. */
  list(namespace: string): Promise<readonly RevokeEntry[]>;
  /** Entries stored from now on in the namespace. Ending the iteration releases the watch. */
  watch(namespace: string): AsyncIterableIterator<RevokeEntry>;
  /** Deletes entries of the namespace with `expiresAt <= clock`. Returns how many. */
  pruneExpired(namespace: string, clock: Date): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
