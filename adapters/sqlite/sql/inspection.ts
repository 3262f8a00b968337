/** What each queue of a namespace holds; reads a few bytes of every message of the namespace. */
export const COUNT_QUEUES: string = /* sql */ `
select queue,
  count(*) filter (where state = 0 or due_at <= :now) as ready,
  count(*) filter (where state = 1 and due_at > :now) as delayed,
  count(*) filter (where state = 2 and due_at > :now) as leased,
  min(nullif(due_at, 0)) filter (where state = 0 or due_at <= :now) as oldestReadyAt
from queue_jobs
where namespace = :namespace
group by queue`;

/** How many dead letters each queue of a namespace has; served by `dead_letters_for_list`. */
export const COUNT_DEAD_LETTERS: string = /* sql */ `
select queue, count(*) as dead
from dead_letters
where namespace = :namespace
group by queue`;

/**
 * Ready messages of one queue in the order of delivery, those included that fell due and that nobody has looked at yet.
 * The first part is read in the order of `queue_jobs_for_claim`, as far as the page goes; only the second is sorted.
 */
export const LIST_READY: string = /* sql */ `
select seq, id, priority, due_at as dueAt, envelope
from queue_jobs
where queue_key = :queueKey and state = 0 and namespace = :namespace and queue = :queue
union all
select seq, id, priority, due_at as dueAt, envelope
from queue_jobs indexed by queue_jobs_for_due
where state <> 0 and due_at <= :now and namespace = :namespace and queue = :queue
order by priority desc, seq
limit :limit offset :offset`;

/** Delayed messages of one queue, the next to fall due first; served by `queue_jobs_for_due`. */
export const LIST_DELAYED: string = /* sql */ `
select seq, id, due_at as dueAt, envelope
from queue_jobs indexed by queue_jobs_for_due
where state <> 0 and due_at > :now and state = 1 and namespace = :namespace and queue = :queue
order by due_at, priority desc, seq
limit :limit offset :offset`;

/** Messages of one queue under an unexpired lease, the one that ends next first; served by `queue_jobs_for_due`. */
export const LIST_INFLIGHT: string = /* sql */ `
select seq, id, due_at as dueAt, token, deliveries, lease_ms as leaseMs, consumer, envelope
from queue_jobs indexed by queue_jobs_for_due
where state <> 0 and due_at > :now and state = 2 and namespace = :namespace and queue = :queue
order by due_at, seq
limit :limit offset :offset`;
