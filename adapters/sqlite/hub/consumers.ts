import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import type {
  ConsumerSettings,
  StoredBurial,
  StoredDelivery,
  StoredLease,
  SubscriptionRef,
} from "../operations/operation.ts";
import { queueKey } from "../operations/queue-key.ts";
import { buryExhausted } from "../operations/settle.ts";
import { LEASE_JOB, MAKE_READY, NEXT_DUE, SELECT_DUE, SELECT_READY } from "../sql/queue-jobs.ts";
import { RecentTokens } from "./recent-tokens.ts";

/** What claiming needs of the transaction it runs in. */
export interface ClaimScope {
  readonly sql: SqlSession;
  readonly now: number;
  nextToken(): number;
}

/** What one consumer is given and told, valid once the transaction is committed. */
export interface Claim {
  readonly ref: SubscriptionRef;
  readonly events: readonly (StoredDelivery | StoredBurial)[];
}

interface Consumer {
  readonly ref: SubscriptionRef;
  readonly session: string;
  readonly settings: ConsumerSettings;
  /** Tokens of deliveries leased and not settled: never more than `prefetch`. */
  readonly held: Set<number>;
  /** Token of a delivery that nothing else may be held beside. */
  alone: number;
}

interface Candidate {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  /** Of a lease that ended without being settled; 0 otherwise. */
  readonly token: number;
  readonly deliveries: number;
  readonly visibilityTimeout: number | null;
  readonly envelope: string;
}

interface Lease {
  readonly consumer: Consumer;
  readonly seq: number;
  readonly queue: string;
  until: number;
}

/** Rows made ready per transaction, so that a flood of due messages does not hold up everything else. */
const DUE_LIMIT = 500;
/**
 * After so many deliveries, the last of which was never settled, a message may be what kills its workers. It is then
 * given out alone, so that it takes no neighbours along when it is delivered too often.
 */
const SUSPECT_DELIVERIES = 2;
/** Messages that are read at once: a large `prefetch` must not bring all of them into memory. */
const CLAIM_ROWS = 64;
/** Text that one consumer is given by one transaction: it has to have read that before it gets more. */
const CLAIM_CHARACTERS = 16_777_216;
/** No token: tokens are positive. */
const NONE = 0;

/**
 * Who waits for what, and the claims that serve them. Claims run at the end of each shared transaction, so that a
 * publish, the claim it wakes, and an ack and the claim it makes room for, are one commit.
 *
 * What is changed before the commit is written to an undo list: `committed` drops it, `undone` takes it back.
 */
export class Consumers {
  readonly #consumers: Consumer[] = [];
  readonly #leases = new Map<number, Lease>();
  /** Queues of consumers that may have something ready; a consumer's queue that is not in here has nothing. */
  #ready = new Set<string>();
  /** Queues that some consumer takes from; made anew after consumers came or went. */
  #wanted: ReadonlySet<string> | undefined;
  readonly #acked = new RecentTokens();
  #undo: (() => void)[] = [];
  #nextDue = 0;
  #turn = 0;

  /** The same consumer again is no second one: when owners change quickly, the call to an earlier one is repeated, too. */
  add(ref: SubscriptionRef, session: string, settings: ConsumerSettings): void {
    if (this.#consumers.some(({ ref: own }) => sameRef(own, ref))) return;
    this.#wanted = undefined;
    this.#consumers.push({ ref, session, settings, held: new Set(), alone: NONE });
    this.#undo.push(() => this.remove(ref));
    for (const queue of settings.queues) this.#ready.add(keyOf(settings.namespace, queue));
  }

  remove(ref: SubscriptionRef): void {
    const index = this.#consumers.findIndex(({ ref: own }) => sameRef(own, ref));
    const [consumer] = index === -1 ? [] : this.#consumers.splice(index, 1);
    if (consumer === undefined) return;
    this.#wanted = undefined;
    this.#undo.push(() => {
      this.#wanted = undefined;
      this.#consumers.push(consumer);
    });
  }

  /** A member has gone, with all its consumers: returns the leases they held. Not for inside of a transaction. */
  removeMember(member: number): readonly StoredLease[] {
    this.#wanted = undefined;
    const kept = this.#consumers.filter(({ ref }) => ref.member !== member);
    this.#consumers.splice(0, this.#consumers.length, ...kept);
    const ended: StoredLease[] = [];
    for (const [token, { consumer, seq, queue }] of this.#leases) {
      if (consumer.ref.member !== member) continue;
      this.#leases.delete(token);
      ended.push({ seq, token, namespace: consumer.settings.namespace, queue });
    }
    return ended;
  }

  /** A consumer holds a lease that an earlier owner gave it. */
  adopt(ref: SubscriptionRef, { seq, token, queue, until }: StoredLease & Readonly<{ until: number }>): void {
    const consumer = this.#consumers.find(({ ref: own }) => sameRef(own, ref));
    if (consumer === undefined || this.#leases.has(token)) return;
    this.#hold(token, { consumer, seq, queue, until });
    this.#undo.push(() => this.#letGo(token));
    this.dueAt(until);
  }

  get isEmpty(): boolean {
    return this.#consumers.length === 0;
  }

  /** Shortest `pollInterval` of all consumers. */
  get pollInterval(): number {
    return Math.min(...this.#consumers.map(({ settings }) => settings.pollInterval));
  }

  /** When the next delayed message falls due or the next lease ends. */
  get nextDue(): number {
    return this.#nextDue;
  }

  queueReady(namespace: string, queue: string): void {
    this.#markReady(keyOf(namespace, queue));
  }

  dueAt(instant: number): void {
    this.#nextDue = Math.min(this.#nextDue, instant);
  }

  settled(token: number): void {
    const lease = this.#letGo(token);
    if (lease !== undefined) this.#undo.push(() => this.#hold(token, lease));
  }

  acked(token: number): void {
    this.#acked.add(token);
    this.#undo.push(() => this.#acked.delete(token));
  }

  wasAcked(token: number): boolean {
    return this.#acked.has(token);
  }

  extended(token: number, until: number): void {
    const lease = this.#leases.get(token);
    if (lease !== undefined) {
      const before = lease.until;
      lease.until = until;
      this.#undo.push(() => (lease.until = before));
    }
    this.dueAt(until);
  }

  /** The wall clock jumped, and this transaction moves the leases in the table as far. */
  moved(jump: number): void {
    const move = (by: number): void => {
      for (const lease of this.#leases.values()) lease.until += by;
    };
    move(jump);
    this.#undo.push(() => move(-jump));
    this.suspectAll();
  }

  /** Every queue may have something, and something may be due: after a fault, and as the safety net of polling. */
  suspectAll(): void {
    this.#nextDue = 0;
    for (const { settings } of this.#consumers) {
      for (const queue of settings.queues) this.#ready.add(keyOf(settings.namespace, queue));
    }
  }

  /** Consumers of a broadcast channel. */
  subscribersOf(namespace: string, channel: string): SubscriptionRef[] {
    return this.#consumers
      .filter(({ settings }) => settings.namespace === namespace && settings.channels.includes(channel))
      .map(({ ref }) => ref);
  }

  /** Makes due messages ready and claims for every consumer that has room. */
  claim(scope: ClaimScope): Claim[] {
    if (this.#consumers.length === 0) return [];
    if (scope.now >= this.#nextDue) this.#makeDueReady(scope);
    if (this.#ready.size === 0) return [];
    const claims: Claim[] = [];
    this.#turn += 1;
    for (let offset = 0; offset < this.#consumers.length; offset += 1) {
      const consumer = this.#consumers[(this.#turn + offset) % this.#consumers.length] as Consumer;
      const events = this.#claimFor(consumer, scope);
      if (events.length > 0) claims.push({ ref: consumer.ref, events });
    }
    return claims;
  }

  committed(): void {
    this.#undo = [];
  }

  undone(): void {
    for (const takeBack of this.#undo.toReversed()) takeBack();
    this.#undo = [];
    this.suspectAll();
  }

  /** Nothing is remembered of a queue that nobody takes from: its first consumer looks by itself. */
  #markReady(key: string): void {
    if (this.#wanted === undefined) {
      const wanted = this.#consumers.flatMap(({ settings }) =>
        settings.queues.map((queue) => keyOf(settings.namespace, queue)),
      );
      this.#wanted = new Set(wanted);
      this.#ready = new Set(wanted.filter((each) => this.#ready.has(each)));
    }
    if (this.#wanted.has(key)) this.#ready.add(key);
  }

  #makeDueReady(scope: ClaimScope): void {
    const rows = scope.sql.all<{ seq: number; namespace: string; queue: string }>(SELECT_DUE, {
      now: scope.now,
      limit: DUE_LIMIT,
    });
    for (const { seq, namespace, queue } of rows) {
      scope.sql.run(MAKE_READY, { seq });
      this.#markReady(keyOf(namespace, queue));
    }
    for (const [token, lease] of this.#leases) {
      if (lease.until > scope.now) continue;
      this.#letGo(token);
      this.#undo.push(() => this.#hold(token, lease));
    }
    const next = scope.sql.get<{ dueAt: number | null }>(NEXT_DUE)?.dueAt;
    this.#nextDue = next ?? Number.POSITIVE_INFINITY;
  }

  #claimFor(consumer: Consumer, scope: ClaimScope): (StoredDelivery | StoredBurial)[] {
    const events: (StoredDelivery | StoredBurial)[] = [];
    let budget = CLAIM_CHARACTERS;
    for (let room = this.#room(consumer); room > 0; room = this.#room(consumer)) {
      const candidates = this.#candidates(consumer.settings, scope.sql, Math.min(room, CLAIM_ROWS));
      if (candidates.length === 0) break;
      for (const [index, candidate] of candidates.entries()) {
        const isSuspect = candidate.token !== NONE && candidate.deliveries >= SUSPECT_DELIVERIES;
        if (candidate.deliveries >= consumer.settings.maxDeliveries) {
          buryExhausted(scope, { ...candidate, namespace: consumer.settings.namespace });
          events.push({ buried: candidate.envelope });
        } else if (!isSuspect) events.push(this.#lease(consumer, candidate, scope));
        else {
          // It waits until nothing else is held, and what is behind it waits with it: its turn has to come.
          if (consumer.held.size === 0) events.push(this.#leaseAlone(consumer, candidate, scope));
          this.#leaveFor(consumer, candidates.slice(index));
          return events;
        }
        budget -= candidate.envelope.length;
        if (budget <= 0) {
          // The next settlement, or the next look, goes on.
          this.#leaveFor(consumer, candidates);
          return events;
        }
      }
    }
    return events;
  }

  /** These were found and not all taken. */
  #leaveFor({ settings }: Consumer, candidates: readonly Candidate[]): void {
    for (const { queue } of candidates) this.#ready.add(keyOf(settings.namespace, queue));
  }

  #room(consumer: Consumer): number {
    return consumer.held.has(consumer.alone) ? 0 : consumer.settings.prefetch - consumer.held.size;
  }

  #leaseAlone(consumer: Consumer, candidate: Candidate, scope: ClaimScope): StoredDelivery {
    const delivery = this.#lease(consumer, candidate, scope);
    consumer.alone = delivery.token;
    return delivery;
  }

  /** The first `limit` ready messages over all queues of a consumer: highest priority, then oldest. */
  #candidates(settings: ConsumerSettings, sql: SqlSession, limit: number): Candidate[] {
    const { namespace } = settings;
    const found: Candidate[] = [];
    for (const queue of settings.queues) {
      const key = keyOf(namespace, queue);
      if (!this.#ready.has(key)) continue;
      const rows = sql.all<Omit<Candidate, "queue">>(SELECT_READY, {
        namespace,
        queue,
        queueKey: queueKey(namespace, queue),
        limit,
      });
      if (rows.length < limit) this.#ready.delete(key);
      for (const row of rows) found.push({ ...row, queue });
    }
    if (settings.queues.length === 1) return found;
    const chosen = found.toSorted((a, b) => b.priority - a.priority || a.seq - b.seq).slice(0, limit);
    // A queue whose rows were not all taken has more.
    for (const { queue } of found) if (chosen.length < found.length) this.#ready.add(keyOf(namespace, queue));
    return chosen;
  }

  #lease(consumer: Consumer, candidate: Candidate, scope: ClaimScope): StoredDelivery {
    const { seq, envelope } = candidate;
    const leaseMs = candidate.visibilityTimeout ?? consumer.settings.defaultVisibilityTimeout;
    const leaseUntil = scope.now + leaseMs;
    const token = scope.nextToken();
    const { session, ref, settings } = consumer;
    const holder = { consumer: settings.consumerName, session, subscription: ref.subscription };
    scope.sql.run(LEASE_JOB, { seq, leaseUntil, leaseMs, token, ...holder });
    this.#hold(token, { consumer, seq, queue: candidate.queue, until: leaseUntil });
    this.#undo.push(() => this.#letGo(token));
    this.dueAt(leaseUntil);
    return { seq, token, deliveries: candidate.deliveries + 1, leaseUntil, leaseMs, envelope };
  }

  #letGo(token: number): Lease | undefined {
    const lease = this.#leases.get(token);
    this.#leases.delete(token);
    lease?.consumer.held.delete(token);
    return lease;
  }

  #hold(token: number, lease: Lease): void {
    this.#leases.set(token, lease);
    lease.consumer.held.add(token);
  }
}

function keyOf(namespace: string, queue: string): string {
  return `${namespace}\n${queue}`;
}

function sameRef(one: SubscriptionRef, other: SubscriptionRef): boolean {
  return one.member === other.member && one.subscription === other.subscription;
}
