/** Notes that a member consumes whose leases outlive the owner. */
export const PUT_SESSION: string = /* sql */ `
insert into hub_sessions (session, context, since)
values (:session, :context, :now)
on conflict (session) do nothing`;

/** Forgets a member. */
export const DELETE_SESSION: string = /* sql */ `
delete from hub_sessions
where session = :session`;

/** Every member that was consuming when the last owner ended. */
export const LIST_SESSIONS: string = /* sql */ `
select session, context
from hub_sessions`;

/** Forgets all members: none of them knows a copy. */
export const DELETE_SESSIONS: string = "delete from hub_sessions";

/** Drops the answers to all members. */
export const DELETE_ALL_REPLIES: string = "delete from hub_replies";

/** Keeps the answers to a member's calls, in the transaction of their effects. */
export const INSERT_REPLIES: string = /* sql */ `
insert into hub_replies (session, last_id, replies, stored_at)
values (:session, :lastId, :replies, :now)
on conflict (session, last_id) do update set replies = excluded.replies, stored_at = excluded.stored_at`;

/** Drops the answers that the member has received. */
export const DELETE_ANSWERED: string = /* sql */ `
delete from hub_replies
where session = :session and last_id <= :answered`;

/** The answers that a member may not have received. */
export const SELECT_REPLIES: string = /* sql */ `
select replies
from hub_replies
where session = :session`;

/** Drops all answers to a member that left. */
export const DELETE_REPLIES: string = /* sql */ `
delete from hub_replies
where session = :session`;

/** Drops answers that nobody came back for. */
export const SWEEP_REPLIES: string = /* sql */ `
delete from hub_replies
where stored_at < :before`;

/** Counts a broadcast and returns its number in the channel. */
export const NEXT_SEQUENCE: string = /* sql */ `
insert into broadcast_channels (namespace, channel, sequence, used_at)
values (:namespace, :channel, 1, :now)
on conflict (namespace, channel) do update set sequence = sequence + 1, used_at = excluded.used_at
returning sequence`;

/** The number of the last broadcast of a channel. */
export const LAST_SEQUENCE: string = /* sql */ `
select sequence
from broadcast_channels
where namespace = :namespace and channel = :channel`;

/** Forgets channels that were not used for long; a bounded number at a time. */
export const SWEEP_CHANNELS: string = /* sql */ `
delete from broadcast_channels
where (namespace, channel) in (
  select namespace, channel from broadcast_channels where used_at < :before limit :limit
)`;
