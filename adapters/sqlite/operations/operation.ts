import type { DatabaseHealth } from "../../../src/contracts/database-health.ts";
import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import type { QueryAnswer, ReadQuery } from "../database/read-query.ts";
import type { TransactionStep } from "../database/transaction.ts";

/** A member's door to the owner's in-memory tables; ids are the member's own. */
export interface SubscriptionRef {
  readonly member: number;
  readonly subscription: number;
}

/** What an operation may use while it runs inside the owner's transaction. */
export interface OperationScope {
  readonly sql: SqlSession;
  /** The database as a file, and as a thing to ask. */
  readonly file: DatabaseFile;
  /** Copies that members are reading. */
  readonly copies: CopyShelf;
  /** The owner's time in whole milliseconds, the same for all operations of one transaction. */
  readonly now: number;
  /** The member that asked: its number with this owner, and its session over changes of the owner. */
  readonly member: Readonly<{ id: number; session: string; remote: boolean; context: string }>;
  /** A fencing token greater than all before it. */
  nextToken(): number;
  ownerFacts(): OwnerFacts;
  /** Runs `effect` once the transaction is durable, before the reply goes out; never when it is undone. */
  afterCommit(effect: () => void): void;
  readonly events: OwnerEvents;
}

/** What the owner knows of its database and of itself at this moment. */
export interface OwnerFacts extends Pick<
  DatabaseHealth,
  "database" | "storage" | "durability" | "bytes" | "logBytes" | "memoryBytes"
> {
  readonly engine: Omit<DatabaseHealth["engine"], "version">;
  /** `since`: epoch milliseconds. */
  readonly owner: Readonly<{ id: string; description: string; since: number; members: number }>;
}

/** What an operation may do with the database as a whole; all of it only reads. */
export interface DatabaseFile {
  query(query: ReadQuery): QueryAnswer;
  copy(maxBytes: number): Uint8Array<ArrayBuffer>;
}

/** Copies of the database in the owner's memory, each of one session and with an id that the session gave it. */
export interface CopyShelf {
  /** The sizes of all copies together, in bytes. */
  readonly bytes: number;
  /** A copy of so many bytes is put there once the transaction has been committed. */
  announce(bytes: number): void;
  put(session: string, id: number, copy: Uint8Array<ArrayBuffer>): void;
  get(session: string, id: number): Uint8Array<ArrayBuffer> | undefined;
  drop(session: string, id: number): void;
}

/**
 * In-memory effects of operations on the owner. Those that the claims at the end of the same transaction depend on
 * (`queueReady`, `dueAt`, `settled`, `extended`, `acked`, `addConsumer`, `removeConsumer`, `adopt`) are told at once and taken
 * back when it fails; the rest is for `afterCommit`.
 */
export interface OwnerEvents {
  /** Messages may have become ready in a queue. */
  queueReady(namespace: string, queue: string): void;
  /** A message falls due, or a lease ends, at this instant. */
  dueAt(instant: number): void;
  /** The delivery with this token is settled: its consumer may hold another one. */
  settled(token: number): void;
  /** The lease of this token now ends at `instant`; a wake-up for it is arranged. */
  extended(token: number, instant: number): void;
  /** The delivery with this token was acked; repeating that does nothing. */
  acked(token: number): void;
  /** Whether the token was acked lately. */
  wasAcked(token: number): boolean;
  /** Adds or removes a consumer. */
  addConsumer(ref: SubscriptionRef, session: string, consumer: ConsumerSettings): void;
  removeConsumer(ref: SubscriptionRef): void;
  /** What a consumer of this session and subscription held when the last owner ended. */
  inheritedBy(session: string, subscription: number): readonly StoredLease[];
  /** A consumer still holds what it held under the last owner. */
  adopt(ref: SubscriptionRef, lease: StoredLease & Readonly<{ until: number }>): void;
  /**
   * Gives every consumer of the channel that is present now the message, once the returned effect is run. One that comes
   * later in the same transaction begins after it.
   */
  broadcast(namespace: string, channel: string, message: Readonly<{ envelope: string; sequence: number }>): () => void;
  /** Watches a topic such as `status:<namespace>:<id>`; what is signalled on it is pushed to the subscription. */
  watch(ref: SubscriptionRef, topic: string): void;
  unwatch(ref: SubscriptionRef): void;
  /** Whether what is signalled on a topic is for anybody: one that watches it, or is expected to from this commit on. */
  isWatched(topic: string): boolean;
  expectWatch(topic: string): void;
  signal(topic: string, event: unknown): void;
}

/** What a consumer asked for. */
export interface ConsumerSettings {
  readonly namespace: string;
  readonly queues: readonly string[];
  readonly channels: readonly string[];
  readonly prefetch: number;
  readonly consumerName: string;
  readonly defaultVisibilityTimeout: number;
  readonly maxDeliveries: number;
  readonly pollInterval: number;
}

/** What names a lease. */
export interface StoredLease {
  readonly seq: number;
  readonly token: number;
  /** Of its message, or of all that its consumer takes from: where a consumer may find the message. */
  readonly namespace: string;
  readonly queue: string;
}

/** A message as the owner hands it to a consumer. */
export interface StoredDelivery {
  readonly seq: number;
  readonly token: number;
  readonly deliveries: number;
  readonly leaseUntil: number;
  readonly leaseMs: number;
  /** Set for a broadcast, which has no lease: `seq` and `token` are 0. */
  readonly channel?: string;
  /** Of a broadcast: its number in the channel. */
  readonly sequence?: number;
  readonly envelope: string;
}

/** Told to the consumer whose claim made a dead letter of a message that was delivered too often. */
export interface StoredBurial {
  readonly buried: string;
}

/**
 * One whole operation, run by the owner: everything it reads and writes is one unit of the shared transaction, and a
 * throw undoes it alone. `statement` operations write with a single statement and need no savepoint.
 */
export interface Operation<Args, Result> {
  readonly kind: TransactionStep["kind"];
  /** Set for one that writes and is run again, not answered from memory, when a member repeats it to a new owner. */
  readonly isRepeatable?: boolean;
  run(scope: OperationScope, args: Args): Result;
}
