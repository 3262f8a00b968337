/** Stores a checkpoint; one that is there already keeps its position. */
export const PUT_STEP: string = /* sql */ `
insert into wf_steps
  (namespace, run_id, name, position, base_name, iteration, kind, attempts, started_at, ended_at, error, value)
values (:namespace, :runId, :name, :position, :baseName, :iteration, :kind, :attempts, :startedAt, :endedAt, :error,
  :value)
on conflict (namespace, run_id, name) do update
set base_name = excluded.base_name, iteration = excluded.iteration, kind = excluded.kind,
  attempts = excluded.attempts, started_at = excluded.started_at, ended_at = excluded.ended_at, error = excluded.error,
  value = excluded.value`;

/** The checkpoints of one run in their order; no more than these are sorted. */
export const LIST_STEPS: string = /* sql */ `
select name, base_name as baseName, iteration, kind, value, error, attempts, started_at as startedAt,
  ended_at as endedAt
from wf_steps
where namespace = :namespace and run_id = :runId
order by position`;

/** The value of one checkpoint. */
export const READ_STEP: string = /* sql */ `
select value
from wf_steps
where namespace = :namespace and run_id = :runId and name = :step`;

/** Whether a run has this checkpoint. */
export const HAS_STEP: string = /* sql */ `
select 1 as found
from wf_steps
where namespace = :namespace and run_id = :runId and name = :step`;

/** The position of the first checkpoint of a step, or of one iteration of it, those inside of it included. */
export const FIRST_POSITION: string = /* sql */ `
select min(position) as position
from wf_steps
where namespace = :namespace and run_id = :runId 
  and (name = :step or base_name = :step or substr(name, 1, length(:inner)) = :inner)`;

/** Deletes the checkpoints of one run from a position on. */
export const DELETE_STEPS_FROM: string = /* sql */ `
delete from wf_steps
where namespace = :namespace and run_id = :runId and position >= :position`;

/** Deletes one checkpoint. */
export const DELETE_STEP: string = /* sql */ `
delete from wf_steps
where namespace = :namespace and run_id = :runId and name = :name`;
