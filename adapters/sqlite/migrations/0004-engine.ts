import type { Migration } from "./migration.ts";

/** Facts about the database itself. */
export const engine: Migration = {
  version: 4,
  name: "engine",
  statements: [
    /* sql */ `create table engine (
  -- One row only.
  id integer primary key check (id = 1),
  -- Raised at every open: the high part of each fencing token, so that tokens rise across restarts.
  epoch integer not null
) strict`,
    /* sql */ `insert into engine (id, epoch) values (1, 0)`,
  ],
};
