/** What a change of a run has to know of it, by primary key. */
export const FIND_RUN: string = /* sql */ `
select run_id as runId, workflow, status, queues, continuation, continuation_at as continuationAt, token, fence,
  owner_id as ownerId, lease_until as leaseUntil, created_at as createdAt, suspended_at as suspendedAt,
  ended_at as endedAt, expires_at as expiresAt, ttl, sequence, next_position as nextPosition, recoveries, rewinds,
  cancel_requested as cancelRequested, policy, cancellation, last_error as lastError, result
from wf_runs
where namespace = :namespace and run_id = :runId`;

const STATE_COLUMNS: string = /* sql */ `run_id as runId, workflow, version, status, params, metadata, queues, result,
  last_error as lastError, parent_run_id as parentRunId, policy, cancellation, cancel_requested as cancelRequested,
  rewinds, continuation, continuation_at as continuationAt, owner_id as ownerId, lease_until as leaseUntil,
  created_at as createdAt, updated_at as updatedAt, suspended_at as suspendedAt, ended_at as endedAt,
  (select count(distinct base_name) from wf_steps
   where wf_steps.namespace = wf_runs.namespace and wf_steps.run_id = wf_runs.run_id) as cursor`;

/** A run as it is shown, by primary key. */
export const GET_RUN: string = /* sql */ `
select ${STATE_COLUMNS}
from wf_runs
where namespace = :namespace and run_id = :runId`;

/** A page of runs, latest change first, in the order of `wf_runs_for_list`; one row more tells whether another follows. */
export const LIST_RUNS: string = /* sql */ `
select ${STATE_COLUMNS}
from wf_runs
where namespace = :namespace
  and (:workflow is null or workflow = :workflow)
  and (:status is null or status = :status)
order by updated_at desc, run_id
limit :limit offset :offset`;

/** As {@link LIST_RUNS}, of the children of one run; served by `wf_runs_by_parent`. */
export const LIST_CHILD_RUNS: string = /* sql */ `
select ${STATE_COLUMNS}
from wf_runs indexed by wf_runs_by_parent
where namespace = :namespace and parent_run_id = :parentRunId
  and (:workflow is null or workflow = :workflow)
  and (:status is null or status = :status)
order by updated_at desc, run_id
limit :limit offset :offset`;

/** Stores a run with its first continuation, which is due; changes no row when the id is taken. */
export const INSERT_RUN: string = /* sql */ `
insert into wf_runs
  (namespace, run_id, workflow, version, status, updated_at, continuation, continuation_at, created_at, ttl, sequence,
   parent_run_id, ends_with_parent, queues, policy, metadata, params)
values (:namespace, :runId, :workflow, :version, 'running', :now, 1, :now, :now, :ttl, :sequence,
   :parentRunId, :endsWithParent, :queues, :policy, :metadata, :params)
on conflict (namespace, run_id) do nothing`;

/** Writes everything of a run that can change. */
export const UPDATE_RUN: string = /* sql */ `
update wf_runs
set status = :status, updated_at = :now, continuation = :continuation, continuation_at = :continuationAt,
  token = :token, fence = :fence, owner_id = :ownerId, lease_until = :leaseUntil, suspended_at = :suspendedAt,
  ended_at = :endedAt, expires_at = :expiresAt, next_position = :nextPosition, recoveries = :recoveries, rewinds = :rewinds,
  cancel_requested = :cancelRequested, cancellation = :cancellation, last_error = :lastError, result = :result
where namespace = :namespace and run_id = :runId`;

const IS_HELD: string = /* sql */ `
  namespace = :namespace and run_id = :runId and token = :token and owner_id = :ownerId and lease_until > :now`;

/** Makes room for one checkpoint of a run that is held by this claim, and renews the lease. */
export const ADVANCE_RUN: string = /* sql */ `
update wf_runs
set updated_at = :now, lease_until = :leaseUntil, next_position = next_position + 1, recoveries = 0, last_error = null
where ${IS_HELD}
returning next_position - 1 as position, cancel_requested as cancelRequested, continuation`;

/** Moves the end of the lease of a run that is held by this claim. */
export const RENEW_RUN: string = /* sql */ `
update wf_runs
set lease_until = :leaseUntil
where ${IS_HELD}`;

/** Moves every lease by the jump of the wall clock, so that its length in real time stays what it was. */
export const SHIFT_RUN_LEASES: string = /* sql */ `
update wf_runs
set lease_until = lease_until + :jump
where lease_until is not null`;

/** Runs that nobody holds and whose continuation is due; served by `wf_runs_for_due`. */
export const LIST_RUNNABLE: string = /* sql */ `
select run_id as runId
from wf_runs
where namespace = :namespace and continuation_at <= :now and (lease_until is null or lease_until <= :now)
order by continuation_at, run_id
limit :limit offset :offset`;

/** Runs whose continuation has been due, and nobody's, since `:since`, and is not known to wait anywhere. */
export const LIST_LOST: string = /* sql */ `
select run_id as runId
from wf_runs
where namespace = :namespace and continuation_at <= :since and (lease_until is null or lease_until <= :since)
  and not exists (
    select 1 from wf_outbox
    where wf_outbox.namespace = wf_runs.namespace and wf_outbox.run_id = wf_runs.run_id)
  and not exists (
    select 1 from queue_jobs
    where queue_jobs.namespace = :brokerNamespace and queue_jobs.id = wf_runs.run_id || ':' || wf_runs.continuation)
order by continuation_at, run_id
limit :limit`;

/** Children that end with their parent and have not ended, by id. */
export const LIST_BOUND_CHILDREN: string = /* sql */ `
select run_id as runId
from wf_runs indexed by wf_runs_by_parent
where namespace = :namespace and parent_run_id = :runId and ends_with_parent = 1 and ended_at is null
order by sequence`;

const EXPIRED_RUNS: string = /* sql */ `
  select run_id from wf_runs
  where namespace = :namespace and expires_at <= :now
  order by expires_at, run_id
  limit :limit`;

/** Deletes the checkpoints of up to `:limit` runs past their time; before {@link PRUNE_RUNS}. */
export const PRUNE_STEPS: string = /* sql */ `
delete from wf_steps
where namespace = :namespace and run_id in (${EXPIRED_RUNS})`;

/** Deletes what up to `:limit` runs past their time have heard; before {@link PRUNE_RUNS}. */
export const PRUNE_HEARD: string = /* sql */ `
delete from wf_heard
where namespace = :namespace and run_id in (${EXPIRED_RUNS})`;

/** Deletes up to `:limit` runs past their time, earliest first; served by `wf_runs_for_expiry`. */
export const PRUNE_RUNS: string = /* sql */ `
delete from wf_runs
where namespace = :namespace and run_id in (${EXPIRED_RUNS})`;
