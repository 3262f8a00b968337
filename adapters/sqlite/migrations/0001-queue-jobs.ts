import type { Migration } from "./migration.ts";

/** Messages, their leases, and dead letters. */
export const queueJobs: Migration = {
  version: 1,
  name: "queue-jobs",
  statements: [
    /* sql */ `create table queue_jobs (
  -- Order of publishing; the rowid, so that a claim updates by it.
  seq integer primary key,
  namespace text not null,
  id text not null,
  queue text not null,
  -- A hash of namespace and queue for the claim index; see operations/queue-key.ts.
  queue_key integer not null,
  priority integer not null,
  -- 0 ready, 1 delayed until due_at, 2 leased until due_at. "in (0, 1, 2)" would cost 1.8 us at each insert.
  state integer not null check (state between 0 and 2),
  due_at integer not null,
  -- Fencing token of the latest claim; 0 before the first.
  token integer not null default 0,
  deliveries integer not null default 0,
  -- Lease of each delivery in milliseconds; the consumer's default when null.
  visibility_timeout integer,
  -- Length of the present lease in milliseconds, for an owner whose clock differs from the last one's.
  lease_ms integer not null default 0,
  consumer text,
  envelope text not null
) strict`,
    /* sql */ `create unique index queue_jobs_by_id on queue_jobs (namespace, id)`,
    /* sql */ `create index queue_jobs_for_claim on queue_jobs (queue_key, priority desc, seq) where state = 0`,
    /* sql */ `create index queue_jobs_for_due on queue_jobs (due_at) where state <> 0`,
    /* sql */ `create table dead_letters (
  seq integer primary key,
  namespace text not null,
  queue text not null,
  id text not null,
  envelope text not null,
  reason text,
  meta text not null check (json_valid(meta)),
  dead_at integer not null
) strict`,
    /* sql */ `create unique index dead_letters_by_id on dead_letters (namespace, queue, id)`,
    /* sql */ `create index dead_letters_for_list on dead_letters (namespace, queue, dead_at, seq)`,
    /* sql */ `create index dead_letters_for_retention on dead_letters (namespace, dead_at)`,
  ],
};
