/** Stores the heartbeat of a worker, in the place of its earlier one. */
export const PUT_HEARTBEAT: string = /* sql */ `
insert into worker_heartbeats (namespace, worker_id, heartbeat, expires_at)
values (:namespace, :workerId, :heartbeat, :expiresAt)
on conflict (namespace, worker_id) do update
set heartbeat = excluded.heartbeat, expires_at = excluded.expires_at`;

/** One heartbeat, by primary key. */
export const GET_HEARTBEAT: string = /* sql */ `
select heartbeat
from worker_heartbeats
where namespace = :namespace and worker_id = :workerId and expires_at > :now`;

/** All heartbeats of a namespace by worker id, which is the order of the primary key. */
export const LIST_HEARTBEATS: string = /* sql */ `
select heartbeat
from worker_heartbeats
where namespace = :namespace and expires_at > :now
order by worker_id`;

/** Deletes one heartbeat. */
export const DELETE_HEARTBEAT: string = /* sql */ `
delete from worker_heartbeats
where namespace = :namespace and worker_id = :workerId`;

/** Deletes up to `:limit` expired heartbeats of every namespace; served by `worker_heartbeats_for_expiry`. */
export const SWEEP_HEARTBEATS: string = /* sql */ `
delete from worker_heartbeats
where (namespace, worker_id) in (
  select namespace, worker_id from worker_heartbeats
  where expires_at <= :now
  order by expires_at
  limit :limit)`;
