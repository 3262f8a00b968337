import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { DELETE_ANSWERED, INSERT_REPLIES, SELECT_REPLIES } from "../sql/hub.ts";
import type { HubMember } from "./members.ts";
import type { Reply } from "./protocol.ts";

/** One call of a transaction that is about to be committed. */
export interface LoggedCall {
  readonly member: HubMember;
  /** Whether running the call again could have another effect or answer. */
  readonly isLogged: boolean;
  readonly reply: Reply;
}

/**
 * The answer that was kept of an earlier run of this call: its effect is there already, only the answer got lost.
 * `undefined` for a call that was never run.
 */
export function answerOf(sql: SqlSession, member: HubMember, callId: number): Reply | undefined {
  member.known ??= readAnswers(sql, member.session);
  return member.known.get(callId);
}

/**
 * Keeps the answers of one transaction for members that may outlive this owner, in that transaction: whoever repeats a call to
 * the next owner gets the first answer and no second effect. Drops those that have arrived.
 */
export function keepAnswers(sql: SqlSession, now: number, calls: readonly LoggedCall[]): void {
  const bySession = new Map<HubMember, Reply[]>();
  for (const { member, isLogged, reply } of calls) {
    if (!isLogged || !(member.remote || member.repeatsCalls === true)) continue;
    const replies = bySession.get(member);
    if (replies === undefined) bySession.set(member, [reply]);
    else replies.push(reply);
  }
  for (const [member, replies] of bySession) {
    const { session, answered } = member;
    const lastId = replies.reduce((last, [id]) => Math.max(last, id), 0);
    sql.run(DELETE_ANSWERED, { session, answered });
    sql.run(INSERT_REPLIES, { session, lastId, replies: JSON.stringify(replies), now });
  }
}

function readAnswers(sql: SqlSession, session: string): ReadonlyMap<number, Reply> {
  const rows = sql.all<{ replies: string }>(SELECT_REPLIES, { session });
  const replies = rows.flatMap((row) => JSON.parse(row.replies) as Reply[]);
  return new Map(replies.map((reply) => [reply[0], reply]));
}
