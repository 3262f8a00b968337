/** Stores a dead letter; a newer one takes the place of an older one of the same id. */
export const INSERT_DEAD_LETTER: string = /* sql */ `
insert into dead_letters (namespace, queue, id, envelope, reason, meta, dead_at)
values (:namespace, :queue, :id, :envelope, :reason, :meta, :deadAt)
on conflict (namespace, queue, id) do update
set envelope = excluded.envelope, reason = excluded.reason, meta = excluded.meta, dead_at = excluded.dead_at`;

/** Newest first; one row more than the page tells whether another follows. */
export const LIST_DEAD_LETTERS: string = /* sql */ `
select seq, id, queue, envelope, reason, meta, dead_at as deadAt
from dead_letters
where namespace = :namespace and queue = :queue
order by dead_at desc, seq desc
limit :limit offset :offset`;

/** One dead letter. */
export const GET_DEAD_LETTER: string = /* sql */ `
select seq, id, queue, envelope, reason, meta, dead_at as deadAt
from dead_letters
where namespace = :namespace and queue = :queue and id = :id`;

/** Oldest first: replayed in the order they died. An id that is queued again is left out. */
export const SELECT_REPLAYABLE: string = /* sql */ `
select seq, id, queue, envelope, reason, meta, dead_at as deadAt
from dead_letters
where namespace = :namespace and queue = :queue and dead_at >= :since
  and not exists (
    select 1 from queue_jobs
    where queue_jobs.namespace = dead_letters.namespace and queue_jobs.id = dead_letters.id)
order by dead_at, seq
limit :limit`;

/** Deletes one entry by its sequence. */
export const DELETE_DEAD_LETTER: string = /* sql */ `
delete from dead_letters
where seq = :seq`;

/** Deletes the newest `:limit` entries at or after `:since`. */
export const PURGE_DEAD_LETTERS: string = /* sql */ `
delete from dead_letters
where seq in (
  select seq from dead_letters
  where namespace = :namespace and queue = :queue and dead_at >= :since
  order by dead_at desc, seq desc
  limit :limit)`;

/** Deletes up to `:limit` entries whose retention has ended; served by `dead_letters_for_retention`. */
export const SWEEP_DEAD_LETTERS: string = /* sql */ `
delete from dead_letters
where seq in (
  select seq from dead_letters
  where namespace = :namespace and dead_at <= :before
  order by dead_at
  limit :limit)`;
