const WAIT_COLUMNS: string = /* sql */ `step, kind, topic, resume_at as resumeAt, expected, attempts, error, data,
  created_at as createdAt, ending, ended_at as endedAt, sequence`;

/** The waits of one run, in the order in which they were stored; no more than these are sorted. */
export const LIST_WAITS: string = /* sql */ `
select ${WAIT_COLUMNS}
from wf_waits
where namespace = :namespace and run_id = :runId
order by sequence`;

/** The waits of several runs, whose ids are a JSON array; within a run in the order in which they were stored. */
export const LIST_WAITS_OF_RUNS: string = /* sql */ `
select run_id as runId, ${WAIT_COLUMNS}
from json_each(:runIds) as wanted
cross join wf_waits on wf_waits.namespace = :namespace and wf_waits.run_id = wanted.value
order by sequence`;

/** One wait. */
export const FIND_WAIT: string = /* sql */ `
select ${WAIT_COLUMNS}
from wf_waits
where namespace = :namespace and run_id = :runId and step = :step`;

/** Stores a wait in the place of one of its name, unless the step has its checkpoint: then no row is changed. */
export const PUT_WAIT: string = /* sql */ `
insert or replace into wf_waits
  (namespace, run_id, step, sequence, kind, topic, resume_at, expected, attempts, error, data, created_at)
select :namespace, :runId, :step, :sequence, :kind, :topic, :resumeAt, :expected, :attempts, :error, :data, :now
where not exists (
  select 1 from wf_steps
  where namespace = :namespace and run_id = :runId and name = :step)`;

/** Ends a wait by something else than time. */
export const END_WAIT: string = /* sql */ `
update wf_waits
set ending = :ending, ended_at = :now
where namespace = :namespace and run_id = :runId and step = :step`;

export const DELETE_WAIT: string = /* sql */ `
delete from wf_waits
where namespace = :namespace and run_id = :runId and step = :step`;

export const DELETE_WAITS: string = /* sql */ `
delete from wf_waits
where namespace = :namespace and run_id = :runId`;

/** The waits of one kind for one topic that are not over, in the order in which they were stored. */
export const LIST_WATCHERS: string = /* sql */ `
select run_id as runId, ${WAIT_COLUMNS}
from wf_waits
where namespace = :namespace and kind = :kind and topic = :topic and topic is not null and ended_at is null
  and (resume_at is null or resume_at > :now)
order by sequence
limit :limit offset :offset`;

/** The runs that wait for a topic, by their earliest wait. */
export const LIST_WAITING_RUNS: string = /* sql */ `
select run_id as runId
from wf_waits indexed by wf_waits_for_topic
where namespace = :namespace and kind = 'event' and topic = :topic and topic is not null and ended_at is null
  and (resume_at is null or resume_at > :now)
group by run_id
order by min(sequence)
limit :limit`;

/** Records how a task ended, once. */
export const PUT_TASK_END: string = /* sql */ `
insert into wf_task_ends (namespace, run_id, step, task_index, ending, ended_at)
values (:namespace, :runId, :step, :index, :ending, :now)
on conflict (namespace, run_id, step, task_index) do nothing`;

/** How many of the tasks that a wait expects have ended before its deadline. */
export const COUNT_TASK_ENDS: string = /* sql */ `
select count(*) as count
from wf_task_ends
where namespace = :namespace and run_id = :runId and step = :step and task_index < :expected
  and (:deadline is null or ended_at < :deadline)`;

/** How the tasks that a wait expects have ended, in the order of their indices. */
export const LIST_TASK_ENDS: string = /* sql */ `
select ending
from wf_task_ends
where namespace = :namespace and run_id = :runId and step = :step and task_index < :expected
order by task_index`;

export const DELETE_TASK_ENDS: string = /* sql */ `
delete from wf_task_ends
where namespace = :namespace and run_id = :runId and step = :step`;

export const DELETE_ALL_TASK_ENDS: string = /* sql */ `
delete from wf_task_ends
where namespace = :namespace and run_id = :runId`;
