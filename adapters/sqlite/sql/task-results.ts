/** What core/task-state.ts calls `mayReplace`, of a stored row that has not expired and the row to be written. */
export const MAY_REPLACE: string = /* sql */ `
    excluded.state <> 'queued'
    and (task_results.fence is null or excluded.fence is null or excluded.fence >= task_results.fence)
    -- Comparisons, since an in-list is built anew at every write.
    and task_results.state <> 'succeeded'
    and task_results.state <> 'cancelled'
    and (
      task_results.state <> 'failed'
      or excluded.state = 'succeeded'
      or excluded.attempt > task_results.attempt)`;

/**
 * Writes a status, and changes no row where the stored one stands. An expired one counts as absent: neither its state
 * nor its creation nor its fence lives on.
 */
export const PUT_STATUS: string = /* sql */ `
insert into task_results
  (namespace, id, state, attempt, fence, payload, error, meta, queue, created_at, updated_at, expires_at)
values (:namespace, :id, :state, :attempt, :fence, :payload, :error, :meta, :queue, :now, :now, :expiresAt)
on conflict (namespace, id) do update
set state = excluded.state, attempt = excluded.attempt, payload = excluded.payload, error = excluded.error,
  meta = excluded.meta, queue = excluded.queue, updated_at = excluded.updated_at, expires_at = excluded.expires_at,
  -- A write outside of any delivery does not open the door to older deliveries again.
  fence = case
    when task_results.expires_at <= excluded.updated_at then excluded.fence
    else coalesce(excluded.fence, task_results.fence) end,
  created_at = case
    when task_results.expires_at <= excluded.updated_at then excluded.created_at
    else task_results.created_at end
where task_results.expires_at <= excluded.updated_at or (${MAY_REPLACE})`;

/** One status, by primary key. */
export const GET_STATUS: string = /* sql */ `
select id, state, attempt, payload, error, meta
from task_results
where namespace = :namespace and id = :id and expires_at > :now`;

/** One row when the stored status of a task has this state and attempt, and was written under this token. */
export const FIND_WRITTEN: string = /* sql */ `
select id
from task_results
where namespace = :namespace and id = :id and state = :state and attempt = :attempt and fence = :fence
  and expires_at > :now`;

/**
 * Whether a row's meta has every entry of `:meta`: of a null the key alone, of anything else an equal value. Objects
 * and arrays are equal when they have the same leaves at the same places, in whatever order their keys come.
 */
const HAS_META: string = /* sql */ `
  not exists (
    select 1
    from json_each(:meta) as wanted
    left join json_each(task_results.meta) as stored on stored.key = wanted.key
    where case
      when stored.key is null then true
      when wanted.type = 'null' then false
      when wanted.type <> stored.type then true
      when wanted.type in ('object', 'array') then
        exists (
          select fullkey, type, atom from json_tree(wanted.value)
          except select fullkey, type, atom from json_tree(stored.value))
        or exists (
          select fullkey, type, atom from json_tree(stored.value)
          except select fullkey, type, atom from json_tree(wanted.value))
      else wanted.atom <> stored.atom end)`;

/**
 * A page of statuses, latest change first; one row more than the page tells whether another follows. The order is that
 * of `task_results_for_list`, so that nothing is sorted.
 */
export const LIST_STATUSES: string = /* sql */ `
select id, state, attempt, payload, error, meta, created_at as createdAt, updated_at as updatedAt
from task_results
where namespace = :namespace and expires_at > :now
  and (:state is null or state = :state)
  and (:queue is null or queue = :queue)
  and ${HAS_META}
order by updated_at desc, id
limit :limit offset :offset`;

/** Moves the end of a status that has not expired. */
export const EXPIRE_STATUS: string = /* sql */ `
update task_results
set expires_at = :expiresAt
where namespace = :namespace and id = :id and expires_at > :now`;

/** Deletes up to `:limit` expired statuses of every namespace; served by `task_results_for_expiry`. */
export const SWEEP_STATUSES: string = /* sql */ `
delete from task_results
where (namespace, id) in (
  select namespace, id from task_results
  where expires_at <= :now
  order by expires_at
  limit :limit)`;
