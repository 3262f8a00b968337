import type { Migration } from "./migration.ts";

/** Revoked tasks. */
export const revocations: Migration = {
  version: 3,
  name: "revocations",
  statements: [
    /* sql */ `create table revocations (
  namespace text not null,
  task_id text not null,
  version integer not null,
  issued_at integer not null,
  terminate integer not null check (terminate in (0, 1)),
  reason text,
  requested_by text,
  expires_at integer,
  primary key (namespace, task_id)
) strict, without rowid`,
    /* sql */ `create index revocations_for_list on revocations (namespace, version)`,
  ],
};
