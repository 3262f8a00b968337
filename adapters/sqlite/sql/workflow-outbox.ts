/** Puts a continuation in the place of the run's last one. */
export const PUT_CONTINUATION: string = /* sql */ `
insert or replace into wf_outbox (namespace, run_id, sequence, number, reason, workflow, queue, not_before)
values (:namespace, :runId, :sequence, :number, :reason, :workflow, :queue, :notBefore)`;

/** Continuations that wait to be published, oldest first; served by `wf_outbox_for_publishing`. */
export const LIST_CONTINUATIONS: string = /* sql */ `
select run_id as runId, number, reason, workflow, queue, not_before as notBefore
from wf_outbox
where namespace = :namespace
order by sequence
limit :limit`;

/** Takes one continuation out. */
export const CONFIRM_CONTINUATION: string = /* sql */ `
delete from wf_outbox
where namespace = :namespace and run_id = :runId and number = :number`;

/** Takes out whatever waits of a run. */
export const DROP_CONTINUATION: string = /* sql */ `
delete from wf_outbox
where namespace = :namespace and run_id = :runId`;

/** Deletes the message of a continuation unless somebody holds it. */
export const DELETE_MESSAGE: string = /* sql */ `
delete from queue_jobs
where namespace = :namespace and id = :id and (state <> 2 or due_at <= :now)`;
