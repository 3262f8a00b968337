import type { Timer } from "../../../src/contracts/clock.ts";
import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import type { SqlDatabase } from "../../../src/contracts/sql-engine.ts";
import { describeError } from "../../../src/error-transfer.ts";
import {
  OutcomeUnknownError,
  OwnershipLostError,
  type StemError,
  StorageEvictedError,
  StorageFullError,
} from "../../../src/errors.ts";
import { inTransaction, runShared, type TransactionEnd } from "../database/transaction.ts";
import type { OwnerEvents } from "../operations/operation.ts";
import { readStatusTopic } from "../operations/results.ts";
import { readRunTopic } from "../operations/workflow-watch.ts";
import { BOUND_LEASES, RELEASE_ORPHANS } from "../sql/queue-jobs.ts";
import { type Claim, Consumers } from "./consumers.ts";
import { Copies } from "./copies.ts";
import { CallStep, type FlushContext, type PendingCall, refuse, takeCalls } from "./flush.ts";
import { type HubMember, type MemberIdentity, Members } from "./members.ts";
import { Outbox } from "./outbox.ts";
import { choresBefore } from "./owner-chores.ts";
import { OwnerClock } from "./owner-clock.ts";
import { createOwnerEvents } from "./owner-events.ts";
import { databaseFile, ownerFacts } from "./owner-facts.ts";
import { asStemError, openParts, type OwnerMember, type OwnerParts } from "./owner-parts.ts";
import type { OwnerBatch } from "./protocol.ts";
import { QueueAlarm } from "./queue-alarm.ts";
import { randomId } from "./random-id.ts";
import { keepAnswers } from "./request-log.ts";
import { TokenSource } from "./tokens.ts";
import { Watchers } from "./watchers.ts";

/** Time between two looks at the queue while storage fails again and again. */
const FAULT_PAUSE_MS = 1_000;
/** Most calls that share one transaction: keeps replies flowing under a flood. */
const MAX_CALLS = 2_000;
/** Between two looks for members of the last owner that have ended. Those that live come within milliseconds. */
const RETURN_MS = 1_500;
/** So many looks; whoever was paused longer than that lost its leases anyway. */
const RETURN_LOOKS = 400;
/** A member in this context that did not say who it is. */
const ANONYMOUS: MemberIdentity = { session: "", remote: false, context: "" };

/**
 * The one context that holds a database open. Runs the calls that have arrived by the end of a turn in one
 * transaction, claims for waiting consumers in the same transaction, and answers only once it is durable.
 */
export class Owner {
  readonly #parts: OwnerParts;
  readonly #self: Readonly<{ id: string; since: number }>;
  readonly #clock: OwnerClock;
  readonly #tokens = new TokenSource();
  readonly #consumers = new Consumers();
  readonly #members: Members;
  readonly #watchers = new Watchers();
  readonly #copies = new Copies();
  readonly #outbox = new Outbox();
  readonly #events: OwnerEvents;
  readonly #alarm: QueueAlarm;
  #database: SqlDatabase;
  #queue: PendingCall[] = [];
  #returning: Timer | undefined;
  #scheduled = false;
  #busy: Promise<void> | undefined;
  /** How far leases still have to be moved since the wall clock jumped. */
  #jump = 0;
  /** Set while the database cannot be used: every call fails with it. */
  #broken: StemError | undefined;
  /** Transactions that have failed since the last one that was committed. */
  #faults = 0;
  #closed = false;
  /** Nobody is served any more. */
  #hasSteppedDown = false;
  #closing: Promise<void> | undefined;

  private constructor(parts: OwnerParts, database: SqlDatabase) {
    this.#parts = parts;
    this.#self = { id: randomId(parts.randomness), since: Math.floor(parts.clock.now()) };
    this.#database = database;
    this.#clock = new OwnerClock(parts.clock);
    this.#members = new Members((context) => parts.host.hasEnded?.(context) ?? false);
    this.#events = createOwnerEvents({
      consumers: this.#consumers,
      watchers: this.#watchers,
      outbox: this.#outbox,
      members: this.#members,
    });
    this.#alarm = new QueueAlarm(parts.clock, this.#consumers, () => this.#schedule());
  }

  /** Opens the database of `parts.lease`; on failure the lease is released. */
  static async open(parts: OwnerParts): Promise<Owner> {
    try {
      const { database, recovered } = await openParts(parts);
      await parts.host.lookForContexts?.();
      const owner = new Owner(parts, database);
      owner.#begin(recovered);
      return owner;
    } catch (error) {
      await parts.lease.release();
      throw error;
    }
  }

  /** Adds a member. One that comes back while its last line seems open takes the place of that. */
  connect(deliver: (batch: OwnerBatch) => void, identity: MemberIdentity = ANONYMOUS): OwnerMember {
    const before = identity.remote ? this.#members.find(identity.session) : undefined;
    if (before !== undefined) this.#leave(before, false);
    const member = this.#members.add(identity);
    this.#outbox.addMember(member.id, deliver);
    return {
      receive: (batch, answered = 0) => {
        if (!this.#members.has(member)) return;
        member.answered = Math.max(member.answered, answered);
        for (const call of batch) this.#queue.push({ member, call });
        this.#schedule();
      },
      close: (forget) => this.#leave(member, forget),
    };
  }

  /** What it asked for last, nobody would hear of; if it lives, it asks again. */
  #leave(member: HubMember, forget: boolean): void {
    this.#queue = this.#queue.filter((pending) => pending.member !== member);
    this.#outbox.removeMember(member.id);
    this.#watchers.removeMember(member.id);
    this.#copies.dropAll(member.session);
    this.#members.remove(member, this.#consumers.removeMember(member.id), forget);
    this.#schedule();
  }

  /** Finishes what has arrived, closes the database cleanly and gives up the lease. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#queue.length > 0 || this.#busy !== undefined) await (this.#busy ?? this.#flushNow());
    // What they still hold is for others now.
    for (const member of this.#members.local) this.#leave(member, true);
    if (this.#members.haveLeft) await this.#flushNow();
    this.#closed = true;
    this.#returning?.cancel();
    this.#alarm.cancel();
    try {
      if (this.#broken === undefined) this.#database.close();
    } finally {
      this.#database.abandon();
      await this.#parts.lease.release();
    }
  }

  #begin(recovered: boolean): void {
    const { now } = this.#clock.read();
    const database = this.#database;
    inTransaction(database, () => {
      this.#tokens.raiseEpoch(database, now);
      const ended = this.#members.forgetEnded(database);
      if (recovered || ended > 0) database.run(RELEASE_ORPHANS, { now });
      if (!recovered) database.run(BOUND_LEASES, { now });
    });
    this.#members.inherit(database);
    this.#awaitMembers(RETURN_LOOKS);
  }

  #awaitMembers(looks: number): void {
    if (!this.#members.areAwaited) return;
    this.#returning = this.#parts.clock.schedule(() => {
      const look = this.#parts.host.lookForContexts?.();
      if (look === undefined) this.#lookForMembers(looks);
      else void look.then(() => this.#lookForMembers(looks));
    }, RETURN_MS);
  }

  #lookForMembers(looks: number): void {
    if (this.#closed) return;
    if (looks > 0) this.#members.checkAwaited();
    else this.#members.giveUpAwaited();
    if (this.#members.haveLeft) this.#schedule();
    this.#awaitMembers(looks - 1);
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy !== undefined) return;
    this.#scheduled = true;
    this.#parts.host.defer(() => {
      this.#scheduled = false;
      if (this.#busy === undefined && !this.#closed) void this.#flushNow();
    });
  }

  /** Runs one shared transaction. The promise is for `close`; it never rejects. */
  #flushNow(): Promise<void> {
    const work = this.#flush();
    if (work === undefined) return Promise.resolve();
    this.#busy = work.then(
      () => this.#afterBusy(),
      (error: unknown) => {
        this.#broken = asStemError(error);
        this.#parts.logger.log("error", "The database cannot be used any more.", { error });
        this.#afterBusy();
      },
    );
    return this.#busy;
  }

  #afterBusy(): void {
    this.#busy = undefined;
    // Who left meanwhile is settled once; while storage goes on failing, that waits for the next call.
    if (this.#queue.length > 0 || (this.#members.haveLeft && this.#faults <= 1)) this.#schedule();
    this.#arm();
  }

  /** Returns a promise only when something has to be waited for. */
  #flush(): Promise<void> | undefined {
    const calls = takeCalls(this.#queue, MAX_CALLS);
    if (this.#hasSteppedDown) return undefined;
    const unusable = this.#broken ?? this.#verify();
    if (unusable !== undefined) {
      this.#faults += 1;
      return isFinal(unusable) ? this.#stepDown(calls, unusable) : this.#refuse(calls, unusable);
    }
    const { now, jump } = this.#clock.read();
    this.#jump += jump;
    const database = this.#database;
    this.#copies.settle();
    const context = this.#contextOf(database, now);
    const steps = calls.map((call) => new CallStep(call, context));
    const flushFaults = database.failedFlushes;
    let claims: Claim[] = [];
    const chores = choresBefore(database, now, {
      jump: this.#jump,
      consumers: this.#consumers,
      members: this.#members,
    });
    const end = runShared(database, chores.length > 0 ? [...chores, ...steps] : steps, () => {
      claims = this.#consumers.claim(context);
      keepAnswers(database, now, steps);
    });
    const durable = end.kind === "committed" ? this.#parts.lease.durable() : undefined;
    if (durable === undefined) this.#finish(end, steps, claims);
    // A checkpoint whose flush failed: the log still has everything, but this engine must not go on writing.
    const faulty = end.kind === "unknown" || database.failedFlushes !== flushFaults;
    if (durable !== undefined) return this.#finishLater(durable, faulty, steps, claims);
    if (faulty) return this.#reopen();
    if (this.#queue.length > 0) this.#schedule();
    else this.#arm();
    return undefined;
  }

  #contextOf(database: SqlDatabase, now: number): FlushContext {
    return {
      sql: database,
      file: databaseFile(database),
      copies: this.#copies,
      now,
      events: this.#events,
      nextToken: () => this.#tokens.next(database, now),
      ownerFacts: () => ownerFacts(this.#parts, this.#self, this.#members.count, database),
    };
  }

  /** For storage that flushes asynchronously: after most failures nobody can answer for the commit. */
  async #finishLater(
    durable: Promise<void>,
    faulty: boolean,
    run: readonly CallStep[],
    claims: readonly Claim[],
  ): Promise<void> {
    let steps = run;
    let end: TransactionEnd = { kind: "committed" };
    try {
      await durable;
    } catch (error) {
      end = storedNothing(error)
        ? { kind: "failed", error: asStemError(error) }
        : { kind: "unknown", error: new OutcomeUnknownError("the transaction", asStemError(error)) };
      // Who asked for it is not told: the next owner does it.
      if (error instanceof OwnershipLostError) steps = [];
    }
    this.#finish(end, steps, claims);
    if (faulty || end.kind !== "committed") await this.#reopen();
  }

  #finish(end: TransactionEnd, steps: readonly CallStep[], claims: readonly Claim[]): void {
    if (end.kind === "committed") {
      this.#faults = 0;
      this.#consumers.committed();
      this.#members.settled();
      this.#jump = 0;
      for (const step of steps) this.#outbox.reply(step.member.id, step.committed());
      if (claims.length > 0) this.#alarm.foundSomething();
      for (const { ref, events } of claims) this.#outbox.push(ref, events);
    } else {
      this.#faults += 1;
      this.#consumers.undone();
      for (const step of steps) this.#outbox.reply(step.member.id, step.failed(end.error));
    }
    this.#outbox.send();
  }

  /** For a fault that may pass: the calls fail, and the database is opened again. */
  #refuse(calls: readonly PendingCall[], error: StemError): Promise<void> {
    for (const call of calls) this.#outbox.reply(call.member.id, refuse(call, error));
    this.#outbox.send();
    return this.#reopen();
  }

  /**
   * For a fault that stays: members of other contexts are let go unanswered, to find the next owner or to be it. So are
   * those of this one when only the ownership was lost. When all that was stored is gone, everybody is told.
   */
  #stepDown(calls: readonly PendingCall[], error: StemError): Promise<void> {
    this.#hasSteppedDown = true;
    const told = error instanceof StorageEvictedError ? this.#members.all : this.#members.local;
    const ids = new Set(told.map(({ id }) => id));
    const isOver = !(error instanceof OwnershipLostError);
    for (const call of calls) {
      if (isOver && ids.has(call.member.id)) this.#outbox.reply(call.member.id, refuse(call, error));
    }
    this.#outbox.sendLast(describeError(error), ids);
    this.#database.abandon();
    return this.#parts.lease.release();
  }

  #verify(): StemError | undefined {
    try {
      this.#parts.lease.verify();
      return undefined;
    } catch (error) {
      this.#broken = asStemError(error);
      this.#parts.logger.log("error", "The database cannot be used any more.", { error });
      return this.#broken;
    }
  }

  /** After a fault at COMMIT: what the engine has cached may not be what is stored, so it starts again. */
  async #reopen(): Promise<void> {
    this.#database.abandon();
    try {
      const { database } = await openParts(this.#parts);
      this.#database = database;
      this.#broken = undefined;
      const { now, jump } = this.#clock.read();
      this.#jump += jump;
      inTransaction(database, () => this.#tokens.raiseEpoch(database, now));
      this.#consumers.suspectAll();
      this.#announceAgain(database, now);
    } catch (error) {
      this.#broken = asStemError(error);
      // Those who wait for messages are told now, not when somebody calls.
      if (isFinal(this.#broken)) await this.#stepDown(this.#queue.splice(0), this.#broken);
    }
  }

  /** A commit with an unknown outcome may have changed what somebody watches, and told nobody. */
  #announceAgain(sql: SqlSession, now: number): void {
    for (const topic of this.#watchers.topics) {
      const state = readStatusTopic({ sql, now }, topic) ?? readRunTopic({ sql }, topic);
      if (state !== undefined) this.#events.signal(topic, state);
    }
    this.#outbox.send();
  }

  #arm(): void {
    if (this.#closed) return;
    // The first repeat comes at once; after that, something due must not keep a failing disk busy.
    this.#alarm.arm(this.#faults > 1 ? FAULT_PAUSE_MS : 0);
  }
}

function storedNothing(error: unknown): boolean {
  return [StorageFullError, OwnershipLostError, StorageEvictedError].some((known) => error instanceof known);
}

/** Opening the database again cannot help. */
function isFinal(error: StemError): boolean {
  return !error.retryable || error instanceof OwnershipLostError;
}
