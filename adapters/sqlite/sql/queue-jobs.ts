// `due_at` of a ready message (state 0) says since when it is ready; 0 where an earlier release stored it.

/** Stores a message at the end of its queue. Fails on `queue_jobs_by_id` when the id is there already. */
export const INSERT_JOB: string = /* sql */ `
insert into queue_jobs (namespace, id, queue, queue_key, priority, state, due_at, visibility_timeout, envelope)
values (:namespace, :id, :queue, :queueKey, :priority, :state, :dueAt, :visibilityTimeout, :envelope)`;

/** As {@link INSERT_JOB}, for the usual message: ready at once, with the consumer's lease. Fewer values to bind. */
export const INSERT_READY_JOB: string = /* sql */ `
insert into queue_jobs (namespace, id, queue, queue_key, priority, state, due_at, envelope)
values (:namespace, :id, :queue, :queueKey, :priority, 0, :dueAt, :envelope)`;

/** The stored message of an id. */
export const FIND_JOB: string = /* sql */ `
select seq, queue, state, due_at as dueAt, envelope
from queue_jobs
where namespace = :namespace and id = :id`;

/** Deletes a message by its sequence, whatever its state. */
export const DELETE_JOB: string = /* sql */ `
delete from queue_jobs
where seq = :seq`;

/** The next messages of one queue, in order; served by `queue_jobs_for_claim` without a sort. */
export const SELECT_READY: string = /* sql */ `
select seq, id, priority, token, deliveries, visibility_timeout as visibilityTimeout, envelope
from queue_jobs
where queue_key = :queueKey and state = 0 and namespace = :namespace and queue = :queue
order by priority desc, seq
limit :limit`;

/** Leases one message, by rowid; the delivery is counted in the same update. */
export const LEASE_JOB: string = /* sql */ `
update queue_jobs
set state = 2, due_at = :leaseUntil, lease_ms = :leaseMs, token = :token, consumer = :consumer, session = :session,
  subscription = :subscription, deliveries = deliveries + 1
where seq = :seq`;

/** Ends a message for good. Changes no row when the token is not the current one. */
export const ACK_JOB: string = /* sql */ `
delete from queue_jobs
where seq = :seq and token = :token`;

/** The message of a delivery, when the token is the current one. */
export const FIND_DELIVERED: string = /* sql */ `
select seq, namespace, id, queue, priority, state, due_at as dueAt, lease_ms as leaseMs, deliveries, envelope
from queue_jobs
where seq = :seq and token = :token`;

/** Makes a delivered message ready again and takes `:refund` off its delivery count. The token stays spent. */
export const REQUEUE_JOB: string = /* sql */ `
update queue_jobs
set state = 0, due_at = :now, token = 0, consumer = null, deliveries = deliveries - :refund
where seq = :seq and token = :token`;

/** Puts a later attempt in the place of the delivered one; its deliveries are counted from 0. */
export const RETRY_JOB: string = /* sql */ `
update queue_jobs
set state = :state, due_at = :dueAt, token = 0, consumer = null, deliveries = 0, queue = :queue,
  queue_key = :queueKey, priority = :priority, visibility_timeout = :visibilityTimeout, envelope = :envelope
where seq = :seq and token = :token`;

/** Prolongs a lease, never shortens it; also takes a lapsed one up again while nobody else has the message. */
export const EXTEND_LEASE: string = /* sql */ `
update queue_jobs
set state = 2, due_at = max(case state when 2 then due_at else 0 end, :leaseUntil), lease_ms = max(lease_ms, :leaseMs)
where seq = :seq and token = :token
returning due_at as leaseUntil`;

/** Delayed messages that fell due and leases that ran out; served by `queue_jobs_for_due`. */
export const SELECT_DUE: string = /* sql */ `
select seq, namespace, queue
from queue_jobs
where state <> 0 and due_at <= :now
order by due_at
limit :limit`;

/** Makes one due message ready, since it was due. A lapsed lease keeps its token: a late ack is good until the next claim. */
export const MAKE_READY: string = /* sql */ `
update queue_jobs
set state = 0
where seq = :seq`;

/** When the next delayed message falls due or the next lease ends; served by `queue_jobs_for_due`. */
export const NEXT_DUE: string = /* sql */ `
select min(due_at) as dueAt
from queue_jobs
where state <> 0`;

/** Moves every lease by the jump of the wall clock, so that its length in real time stays what it was. */
export const SHIFT_LEASES: string = /* sql */ `
update queue_jobs
set due_at = due_at + :jump
where state = 2`;

/** After a crash nobody holds a lease any more, except members of other processes. */
export const RELEASE_ORPHANS: string = /* sql */ `
update queue_jobs
set state = 0, due_at = min(due_at, :now)
where state = 2 and (session is null or session not in (select session from hub_sessions))`;

/** The leases of members that were connected to the last owner. */
export const INHERITED_LEASES: string = /* sql */ `
select seq, token, namespace, queue, session, subscription
from queue_jobs
where state <> 0 and state = 2 and session in (select session from hub_sessions)`;

/** When a lease ends, as long as it is one. */
export const FIND_LEASE: string = /* sql */ `
select due_at as leaseUntil
from queue_jobs
where seq = :seq and token = :token and state = 2`;

/** Ends a lease whose holder is gone. The token stays: a late ack is good until the next claim. */
export const RELEASE_LEASE: string = /* sql */ `
update queue_jobs
set state = 0, due_at = min(due_at, :now)
where seq = :seq and token = :token and state = 2`;

/** After a clean restart under an earlier clock, no lease is longer than it was granted. */
export const BOUND_LEASES: string = /* sql */ `
update queue_jobs
set due_at = :now + lease_ms
where state = 2 and due_at > :now + lease_ms`;

/** Deletes ready messages; served by `queue_jobs_for_claim`. */
export const PURGE_READY: string = /* sql */ `
delete from queue_jobs
where queue_key = :queueKey and state = 0 and namespace = :namespace and queue = :queue`;

/** Deletes delayed messages and those whose lease has run out; served by `queue_jobs_for_due`. */
export const PURGE_WAITING: string = /* sql */ `
delete from queue_jobs
where state <> 0 and (state = 1 or due_at <= :now) and namespace = :namespace and queue = :queue`;

/** Messages that could be delivered now. */
export const COUNT_PENDING: string = /* sql */ `
select
  (select count(*) from queue_jobs
   where queue_key = :queueKey and state = 0 and namespace = :namespace and queue = :queue)
  + (select count(*) from queue_jobs indexed by queue_jobs_for_due
     where state <> 0 and due_at <= :now and namespace = :namespace and queue = :queue) as count`;

/** Messages under an unexpired lease. */
export const COUNT_INFLIGHT: string = /* sql */ `
select count(*) as count
from queue_jobs indexed by queue_jobs_for_due
where state <> 0 and due_at > :now and state = 2 and namespace = :namespace and queue = :queue`;
