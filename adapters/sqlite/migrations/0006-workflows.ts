import type { Migration } from "./migration.ts";

/** Runs of workflows, their checkpoints, and what they wait for. */
export const workflows: Migration = {
  version: 6,
  name: "workflows",
  statements: [
    /* sql */ `create table wf_runs (
  namespace text not null,
  run_id text not null,
  workflow text not null,
  version integer not null,
  status text not null,
  updated_at integer not null,
  continuation integer not null,
  -- When the present continuation is due; null when only an event can wake the run, and once it has ended.
  continuation_at integer,
  -- Fencing token of the latest claim; 0 before the first.
  token integer not null default 0,
  -- Token of the delivery that the latest claim is for.
  fence integer,
  owner_id text,
  lease_until integer,
  created_at integer not null,
  suspended_at integer,
  ended_at integer,
  -- Set once it has ended.
  expires_at integer,
  -- Milliseconds that it is kept after its end.
  ttl integer not null,
  -- Events with a greater one were emitted since the run was created.
  sequence integer not null,
  -- Where the next checkpoint goes. Gaps are of no account.
  next_position integer not null default 0,
  recoveries integer not null default 0,
  rewinds integer not null default 0,
  -- 1 once it was asked to end, 2 once whoever holds it knows from its claim.
  cancel_requested integer not null default 0,
  parent_run_id text,
  ends_with_parent integer not null,
  queues text not null,
  policy text,
  cancellation text,
  last_error text,
  metadata text not null,
  params text not null,
  result text,
  primary key (namespace, run_id)
) strict, without rowid`,
    // Status and workflow are there for the filters of the list: what is left out is not looked up.
    /* sql */ `create index wf_runs_for_list on wf_runs (namespace, updated_at desc, run_id, status, workflow)`,
    /* sql */ `create index wf_runs_for_due on wf_runs (namespace, continuation_at, run_id)
where continuation_at is not null`,
    /* sql */ `create index wf_runs_for_expiry on wf_runs (namespace, expires_at) where expires_at is not null`,
    /* sql */ `create index wf_runs_by_parent on wf_runs (namespace, parent_run_id) where parent_run_id is not null`,
    /* sql */ `create table wf_steps (
  namespace text not null,
  run_id text not null,
  name text not null,
  -- Order in which the checkpoints of the run were first stored.
  position integer not null,
  base_name text not null,
  iteration integer,
  kind text not null,
  attempts integer not null,
  started_at integer not null,
  ended_at integer not null,
  error text,
  value text not null,
  primary key (namespace, run_id, name)
) strict, without rowid`,
    /* sql */ `create table wf_waits (
  namespace text not null,
  run_id text not null,
  step text not null,
  -- Order of storing, over all runs.
  sequence integer not null,
  kind text not null,
  topic text,
  resume_at integer,
  expected integer,
  attempts integer,
  error text,
  data text,
  created_at integer not null,
  -- How and when something else than time has ended it.
  ending text,
  ended_at integer,
  primary key (namespace, run_id, step)
) strict, without rowid`,
    /* sql */ `create index wf_waits_for_topic on wf_waits (namespace, kind, topic, sequence)
where topic is not null and ended_at is null`,
    /* sql */ `create table wf_task_ends (
  namespace text not null,
  run_id text not null,
  step text not null,
  task_index integer not null,
  ending text not null,
  ended_at integer not null,
  primary key (namespace, run_id, step, task_index)
) strict, without rowid`,
    /* sql */ `create table wf_events (
  namespace text not null,
  topic text not null,
  sequence integer not null,
  event_id text,
  emitted_at integer not null,
  expires_at integer not null,
  payload text not null,
  primary key (namespace, topic, sequence)
) strict, without rowid`,
    /* sql */ `create index wf_events_by_id on wf_events (namespace, topic, event_id) where event_id is not null`,
    /* sql */ `create index wf_events_for_expiry on wf_events (namespace, expires_at)`,
    // The last event of each topic that a run has had.
    /* sql */ `create table wf_heard (
  namespace text not null,
  run_id text not null,
  topic text not null,
  sequence integer not null,
  primary key (namespace, run_id, topic)
) strict, without rowid`,
    // Continuations for a broker on another database.
    /* sql */ `create table wf_outbox (
  namespace text not null,
  run_id text not null,
  sequence integer not null,
  number integer not null,
  reason text not null,
  workflow text not null,
  queue text not null,
  not_before integer,
  primary key (namespace, run_id)
) strict, without rowid`,
    /* sql */ `create index wf_outbox_for_publishing on wf_outbox (namespace, sequence)`,
  ],
};
