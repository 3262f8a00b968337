import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import type { StoredLease } from "../operations/operation.ts";
import { DELETE_REPLIES, DELETE_SESSION, LIST_SESSIONS, SWEEP_REPLIES } from "../sql/hub.ts";
import { INHERITED_LEASES, RELEASE_LEASE } from "../sql/queue-jobs.ts";
import type { Reply } from "./protocol.ts";

/** Who a member is. The session stays the same over changes of the owner. */
export interface MemberIdentity {
  readonly session: string;
  /** It lives in another context, and may outlive this owner. */
  readonly remote: boolean;
}

/** One member as its owner knows it. */
export interface HubMember extends MemberIdentity {
  /** Its number with this owner. */
  readonly id: number;
  /** Answers that an earlier owner, or an earlier connection, may not have brought to it; read when first needed. */
  known: ReadonlyMap<number, Reply> | undefined;
  /** It has received the answers to all its calls up to this id. */
  answered: number;
}

/** A lease that the last owner gave to a member of another process. */
export interface InheritedLease extends StoredLease {
  readonly namespace: string;
  readonly queue: string;
  readonly session: string;
  readonly subscription: number;
}

/** What remains to be done in the database for a member that has gone. */
interface Departure {
  readonly session: string;
  readonly leases: readonly StoredLease[];
  /** It said goodbye: nobody will ask for its answers again. */
  readonly forget: boolean;
}

/** Answers are kept this long for a member that vanished; it would come back within seconds. */
const REPLY_RETENTION_MS = 600_000;

/** The members of one owner, those that are expected from the last owner, and those that have left. */
export class Members {
  readonly #present = new Map<number, HubMember>();
  /** By session: leases of members that were connected to the last owner and have not come to this one. */
  #awaited = new Map<string, readonly InheritedLease[]>();
  #departures: Departure[] = [];
  #nextId = 1;

  /** Reads whom the last owner served. */
  inherit(sql: SqlSession): void {
    const sessions = sql.all<{ session: string }>(LIST_SESSIONS);
    this.#awaited = new Map(sessions.map(({ session }) => [session, []]));
    if (sessions.length === 0) return;
    for (const lease of sql.all<InheritedLease>(INHERITED_LEASES)) {
      this.#awaited.set(lease.session, [...(this.#awaited.get(lease.session) ?? []), lease]);
    }
  }

  /** Whether members of the last owner may still come. */
  get areAwaited(): boolean {
    return this.#awaited.size > 0;
  }

  add(identity: MemberIdentity): HubMember {
    const member: HubMember = { ...identity, id: this.#nextId++, known: undefined, answered: 0 };
    this.#present.set(member.id, member);
    // The leases of a member in this context end with this owner.
    if (!identity.remote) this.#departures.push({ session: identity.session, leases: [], forget: false });
    return member;
  }

  /** Whether this very member, not another one of its session, is present. */
  has(member: HubMember): boolean {
    return this.#present.has(member.id);
  }

  /** The present member of a session. */
  find(session: string): HubMember | undefined {
    for (const member of this.#present.values()) if (member.session === session) return member;
    return undefined;
  }

  get local(): readonly HubMember[] {
    return [...this.#present.values()].filter((member) => !member.remote);
  }

  /** Notes what is to be done for a member that has gone; {@link Members.settle} does it. */
  remove(member: HubMember, leases: readonly StoredLease[], forget: boolean): void {
    if (this.#present.delete(member.id)) this.#departures.push({ session: member.session, leases, forget });
  }

  /** The time in which members of the last owner could come is over. */
  giveUpAwaited(): void {
    for (const [session, leases] of this.#awaited) {
      if (this.find(session) === undefined) this.#departures.push({ session, leases, forget: false });
    }
    this.#awaited.clear();
  }

  /** The leases of one subscription that came over from the last owner. */
  inheritedBy(session: string, subscription: number): readonly InheritedLease[] {
    return (this.#awaited.get(session) ?? []).filter((lease) => lease.subscription === subscription);
  }

  get haveLeft(): boolean {
    return this.#departures.length > 0;
  }

  /** Gives back the leases of those who left, inside a transaction; repeated until one was committed. */
  settle(sql: SqlSession, now: number): readonly StoredLease[] {
    const released: StoredLease[] = [];
    for (const { session, leases, forget } of this.#departures) {
      for (const lease of leases) {
        const { seq, token } = lease;
        if (sql.run(RELEASE_LEASE, { seq, token }) > 0) released.push(lease);
      }
      if (this.find(session)?.remote !== true) sql.run(DELETE_SESSION, { session });
      if (forget) sql.run(DELETE_REPLIES, { session });
    }
    sql.run(SWEEP_REPLIES, { before: now - REPLY_RETENTION_MS });
    return released;
  }

  /** The first `count` departures were settled by a transaction that was committed. */
  settled(count: number): void {
    this.#departures.splice(0, count);
  }

  get departures(): number {
    return this.#departures.length;
  }
}
