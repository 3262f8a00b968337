import {
  GET_REVOCATION,
  GREATEST_VERSION,
  LIST_REVOCATIONS,
  PRUNE_REVOCATIONS,
  PUT_REVOCATION,
} from "../sql/revocations.ts";
import type { Operation, OperationScope } from "./operation.ts";

/** A revocation as it is stored: instants in epoch milliseconds, texts as JSON. */
export interface RevocationRow {
  readonly namespace: string;
  readonly taskId: string;
  readonly version: number;
  readonly issuedAt: number;
  /** 1 or 0. */
  readonly terminate: number;
  readonly reason: string | null;
  readonly requestedBy: string | null;
  readonly expiresAt: number | null;
}

/** One revocation of one namespace. */
export interface RevocationRef {
  readonly namespace: string;
  readonly taskId: string;
}

/** Stores all or none; returns for each, in order, what is stored after the last. Tells watchers of what is new. */
export const upsertRevocations: Operation<readonly RevocationRow[], RevocationRow[]> = {
  kind: "steps",
  run(scope, rows) {
    for (const row of rows) {
      if (scope.sql.run(PUT_REVOCATION, { ...row }) === 0) continue;
      scope.afterCommit(() => scope.events.signal(revocationsTopic(row.namespace), row));
    }
    return rows.map((row) => find(scope, row) ?? row);
  },
};

export const getRevocation: Operation<RevocationRef, RevocationRow | null> = {
  kind: "read",
  run: (scope, ref) => find(scope, ref) ?? null,
};

/** By version. */
export const listRevocations: Operation<{ readonly namespace: string }, RevocationRow[]> = {
  kind: "read",
  run: (scope, { namespace }) => scope.sql.all<RevocationRow>(LIST_REVOCATIONS, { namespace }),
};

/**
 * Pushes what is stored from now on; the present entries are not for it. `unwatch` ends it. Returns the greatest
 * version that is stored, 0 without any.
 */
export const watchRevocations: Operation<{ readonly namespace: string; readonly subscription: number }, number> = {
  kind: "read",
  run(scope, { namespace, subscription }) {
    const ref = { member: scope.member.id, subscription };
    // After the commit, so that what was stored before in the same transaction is not told.
    scope.afterCommit(() => scope.events.watch(ref, revocationsTopic(namespace)));
    return scope.sql.get<{ version: number | null }>(GREATEST_VERSION, { namespace })?.version ?? 0;
  },
};

/** Deletes what ended at or before `clock`; returns how many. */
export const pruneRevocations: Operation<{ readonly namespace: string; readonly clock: number }, number> = {
  kind: "statement",
  run: (scope, { namespace, clock }) => scope.sql.run(PRUNE_REVOCATIONS, { namespace, clock }),
};

function find(scope: OperationScope, { namespace, taskId }: RevocationRef): RevocationRow | undefined {
  return scope.sql.get<RevocationRow>(GET_REVOCATION, { namespace, taskId });
}

function revocationsTopic(namespace: string): string {
  return `revocations\n${namespace}`;
}
