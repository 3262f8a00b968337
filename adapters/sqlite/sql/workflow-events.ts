/** An event of this id, as long as it is kept. */
export const FIND_EVENT: string = /* sql */ `
select sequence
from wf_events indexed by wf_events_by_id
where namespace = :namespace and topic = :topic and event_id = :eventId and event_id is not null and expires_at > :now`;

export const INSERT_EVENT: string = /* sql */ `
insert into wf_events (namespace, topic, sequence, event_id, emitted_at, expires_at, payload)
values (:namespace, :topic, :sequence, :eventId, :now, :expiresAt, :payload)`;

/** The first event of a topic that a run has not had: `:created` is the sequence of its creation. */
export const NEXT_EVENT: string = /* sql */ `
select sequence, emitted_at as emittedAt, payload
from wf_events
where namespace = :namespace and topic = :topic
  and sequence > coalesce(
    (select sequence from wf_heard where namespace = :namespace and run_id = :runId and topic = :topic), :created)
  and expires_at > :now
order by sequence
limit 1`;

/** Remembers the last event of a topic that a run has had. */
export const PUT_HEARD: string = /* sql */ `
insert into wf_heard (namespace, run_id, topic, sequence)
values (:namespace, :runId, :topic, :sequence)
on conflict (namespace, run_id, topic) do update set sequence = excluded.sequence`;

/** Deletes up to `:limit` events past their time; served by `wf_events_for_expiry`. */
export const PRUNE_EVENTS: string = /* sql */ `
delete from wf_events
where (namespace, topic, sequence) in (
  select namespace, topic, sequence from wf_events
  where namespace = :namespace and expires_at <= :now
  order by expires_at
  limit :limit)`;
