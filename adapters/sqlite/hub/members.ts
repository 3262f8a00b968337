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
  /** The platform's name for its context; empty where nobody can tell whether that has ended. */
  readonly context: string;
  /** It may repeat its calls to the next owner though it lives in this context. @defaultValue `false` */
  readonly repeatsCalls?: boolean;
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

interface SessionRow {
  readonly session: string;
  readonly context: string;
}

/** A member of the last owner that has not come to this one. */
interface Awaited {
  readonly context: string;
  readonly leases: readonly InheritedLease[];
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
  readonly #hasEnded: (context: string) => boolean;
  /** By session: what members had from the last owner. */
  #awaited = new Map<string, Awaited>();
  #departures: Departure[] = [];
  /** So many of them, the first ones, are being settled. */
  #settling = 0;
  #nextId = 1;

  /** `hasEnded` tells of a context whether it has certainly ended. */
  constructor(hasEnded: (context: string) => boolean) {
    this.#hasEnded = hasEnded;
  }

  /** Forgets those members of the last owner whose contexts have ended; what they held belongs to nobody. */
  forgetEnded(sql: SqlSession): number {
    const ended = sql.all<SessionRow>(LIST_SESSIONS).filter(({ context }) => this.#hasEnded(context));
    for (const { session } of ended) sql.run(DELETE_SESSION, { session });
    return ended.length;
  }

  /** Reads whom the last owner served. */
  inherit(sql: SqlSession): void {
    const leases = new Map<string, InheritedLease[]>();
    const sessions = sql.all<SessionRow>(LIST_SESSIONS);
    for (const { session } of sessions) leases.set(session, []);
    if (sessions.length === 0) return;
    for (const lease of sql.all<InheritedLease>(INHERITED_LEASES)) leases.get(lease.session)?.push(lease);
    this.#awaited = new Map(
      sessions.map(({ session, context }) => [session, { context, leases: leases.get(session) ?? [] }]),
    );
  }

  /** Whether members of the last owner may still come. */
  get areAwaited(): boolean {
    return this.#awaited.size > 0;
  }

  add(identity: MemberIdentity): HubMember {
    const member: HubMember = { ...identity, id: this.#nextId++, known: undefined, answered: 0 };
    this.#present.set(member.id, member);
    // Where nobody can tell that this context has ended, what its members hold ends with this owner.
    if (!identity.remote && identity.context === "")
      this.#departures.push({ session: identity.session, leases: [], forget: false });
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

  get count(): number {
    return this.#present.size;
  }

  get all(): readonly HubMember[] {
    return [...this.#present.values()];
  }

  get local(): readonly HubMember[] {
    return [...this.#present.values()].filter((member) => !member.remote);
  }

  /** Notes what is to be done for a member that has gone; {@link Members.settle} does it. */
  remove(member: HubMember, leases: readonly StoredLease[], forget: boolean): void {
    if (this.#present.delete(member.id)) this.#departures.push({ session: member.session, leases, forget });
  }

  /**
   * Looks at those who have not come: what ended contexts held is for others. A context that may live keeps its leases
   * until they lapse: it may only be busy, or paused.
   */
  checkAwaited(): void {
    for (const [session, { context, leases }] of this.#awaited) {
      const hasCome = this.find(session) !== undefined;
      if (!hasCome && !this.#hasEnded(context)) continue;
      if (!hasCome) this.#departures.push({ session, leases, forget: false });
      this.#awaited.delete(session);
    }
  }

  /** Awaits nobody any more. */
  giveUpAwaited(): void {
    for (const session of this.#awaited.keys()) {
      if (this.find(session) === undefined) this.#departures.push({ session, leases: [], forget: false });
    }
    this.#awaited.clear();
  }

  /** The leases of one subscription that came over from the last owner. */
  inheritedBy(session: string, subscription: number): readonly InheritedLease[] {
    return (this.#awaited.get(session)?.leases ?? []).filter((lease) => lease.subscription === subscription);
  }

  get haveLeft(): boolean {
    return this.#departures.length > 0;
  }

  /** Gives back the leases of those who left, inside a transaction; repeated until one was committed. */
  settle(sql: SqlSession, now: number): readonly StoredLease[] {
    this.#settling = this.#departures.length;
    const released: StoredLease[] = [];
    for (const { session, leases, forget } of this.#departures) {
      for (const lease of leases) {
        const { seq, token } = lease;
        if (sql.run(RELEASE_LEASE, { seq, token, now }) > 0) released.push(lease);
      }
      const stays = this.find(session);
      if (stays === undefined || (!stays.remote && stays.context === "")) sql.run(DELETE_SESSION, { session });
      if (forget) sql.run(DELETE_REPLIES, { session });
    }
    sql.run(SWEEP_REPLIES, { before: now - REPLY_RETENTION_MS });
    return released;
  }

  /** The transaction of the last {@link Members.settle} was committed. */
  settled(): void {
    this.#departures.splice(0, this.#settling);
    this.#settling = 0;
  }
}
