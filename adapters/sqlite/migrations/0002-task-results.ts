import type { Migration } from "./migration.ts";

/** Statuses, groups and heartbeats. */
export const taskResults: Migration = {
  version: 2,
  name: "task-results",
  statements: [
    /* sql */ `create table task_results (
  namespace text not null,
  id text not null,
  state text not null,
  attempt integer not null,
  -- Token of the delivery that wrote it; null for a write outside of any delivery.
  fence integer,
  payload text,
  error text,
  meta text not null,
  -- meta.queue, for the list filter.
  queue text,
  created_at integer not null,
  updated_at integer not null,
  expires_at integer not null,
  primary key (namespace, id)
) strict, without rowid`,
    /* sql */ `create index task_results_for_list on task_results (namespace, updated_at desc, id)`,
    /* sql */ `create index task_results_for_expiry on task_results (expires_at)`,
    /* sql */ `create table task_groups (
  namespace text not null,
  id text not null,
  expected integer not null check (expected >= 0),
  meta text not null check (json_valid(meta)),
  expires_at integer not null,
  primary key (namespace, id)
) strict, without rowid`,
    /* sql */ `create index task_groups_for_expiry on task_groups (expires_at)`,
    /* sql */ `create table task_group_results (
  namespace text not null,
  group_id text not null,
  task_id text not null,
  -- Order of first arrival within the group.
  position integer not null,
  status text not null check (json_valid(status)),
  primary key (namespace, group_id, task_id)
) strict, without rowid`,
    /* sql */ `create table worker_heartbeats (
  namespace text not null,
  worker_id text not null,
  heartbeat text not null check (json_valid(heartbeat)),
  expires_at integer not null,
  primary key (namespace, worker_id)
) strict, without rowid`,
    /* sql */ `create index worker_heartbeats_for_expiry on worker_heartbeats (expires_at)`,
  ],
};
