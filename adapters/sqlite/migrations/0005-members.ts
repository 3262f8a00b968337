import type { Migration } from "./migration.ts";

/** What lets members of other processes keep their leases, and their calls one effect, when the owner changes. */
export const members: Migration = {
  version: 5,
  name: "members",
  statements: [
    // Who holds the lease, over changes of the owner: the session of a member, and its subscription.
    /* sql */ `alter table queue_jobs add column session text`,
    /* sql */ `alter table queue_jobs add column subscription integer`,
    /* sql */ `create table hub_sessions (
  session text not null primary key,
  -- The context it lives in, as the platform names it; empty where nobody can tell whether that has ended.
  context text not null,
  since integer not null
) strict, without rowid`,
    /* sql */ `create table hub_replies (
  session text not null,
  -- Greatest id of the calls that are answered in the row.
  last_id integer not null,
  replies text not null,
  stored_at integer not null,
  primary key (session, last_id)
) strict, without rowid`,
    /* sql */ `create table broadcast_channels (
  namespace text not null,
  channel text not null,
  sequence integer not null,
  used_at integer not null,
  primary key (namespace, channel)
) strict, without rowid`,
  ],
};
