import { type JsonObject, stringifyJson } from "../../../src/core/json.ts";
import {
  DELETE_GROUP,
  DELETE_GROUP_RESULTS,
  GET_GROUP,
  LIST_GROUP_RESULTS,
  PUT_GROUP,
  PUT_GROUP_RESULT,
  SELECT_EXPIRED_GROUPS,
  SET_GROUP_META,
} from "../sql/groups.ts";
import type { Operation, OperationScope } from "./operation.ts";

/** One group of one namespace. */
export interface GroupRef {
  readonly namespace: string;
  readonly groupId: string;
}

export interface InitGroupArgs extends GroupRef {
  readonly expected: number;
  /** JSON object. */
  readonly meta: string;
  readonly ttl: number;
}

/** The status of one member of a group; `status` is JSON. */
export interface MemberResult {
  readonly taskId: string;
  readonly status: string;
}

/** A group as it is stored, with its results in order of their first arrival. */
export interface StoredGroup {
  readonly id: string;
  readonly expected: number;
  readonly meta: string;
  readonly results: readonly MemberResult[];
}

export interface ClaimChordArgs extends GroupRef {
  readonly callbackTaskId: string | null;
  /** Epoch milliseconds; the owner's time when null. */
  readonly dispatchedAt: number | null;
}

const NO_LIMIT = -1;

/** Creates a group without results, whatever was stored under its id. */
export const initGroup: Operation<InitGroupArgs, void> = {
  kind: "steps",
  run(scope, { namespace, groupId, expected, meta, ttl }) {
    const expiresAt = scope.now + Math.ceil(ttl);
    scope.sql.run(DELETE_GROUP_RESULTS, { namespace, groupId, limit: NO_LIMIT });
    scope.sql.run(PUT_GROUP, { namespace, id: groupId, expected, meta, expiresAt });
  },
};

/** Adds a member result and returns the whole group; null, and no effect, when there is no such group. */
export const addGroupResult: Operation<GroupRef & { readonly result: MemberResult }, StoredGroup | null> = {
  kind: "steps",
  run: (scope, { namespace, groupId, result }) =>
    putGroupResult(scope, { namespace, groupId }, result) ? findGroup(scope, { namespace, groupId }) : null,
};

export const getGroup: Operation<GroupRef, StoredGroup | null> = {
  kind: "read",
  run: (scope, ref) => findGroup(scope, ref),
};

/** `true` once per group, whose meta then says that it is claimed, by whom and when. */
export const claimChord: Operation<ClaimChordArgs, boolean> = {
  kind: "statement",
  run(scope, { namespace, groupId, callbackTaskId, dispatchedAt }) {
    const stored = scope.sql.get<{ meta: string }>(GET_GROUP, { namespace, groupId, now: scope.now });
    if (stored === undefined) return false;
    const meta = JSON.parse(stored.meta) as JsonObject;
    if (meta["stem.chord.claimed"] === true) return false;
    const claimed: JsonObject = {
      ...meta,
      "stem.chord.claimed": true,
      ...(callbackTaskId === null ? {} : { "stem.chord.callbackTaskId": callbackTaskId }),
      "stem.chord.dispatchedAt": new Date(dispatchedAt ?? scope.now).toISOString(),
    };
    scope.sql.run(SET_GROUP_META, { namespace, groupId, meta: stringifyJson(claimed, "meta") });
    return true;
  },
};

/** Whether the group was there to take the result. */
export function putGroupResult(scope: OperationScope, { namespace, groupId }: GroupRef, result: MemberResult): boolean {
  // A token is greater than all before it, which is all that an order of arrival needs: no look at the other results.
  const values = { namespace, groupId, ...result, position: scope.nextToken(), now: scope.now };
  return scope.sql.run(PUT_GROUP_RESULT, values) > 0;
}

/**
 * Deletes up to `limit` expired groups and, before each of them, its results, of which `limit` in all are deleted too.
 * Returns whether there may be more.
 */
export function sweepGroups(scope: OperationScope, limit: number): boolean {
  const groups = scope.sql.all<{ namespace: string; groupId: string }>(SELECT_EXPIRED_GROUPS, {
    now: scope.now,
    limit,
  });
  let left = limit;
  for (const { namespace, groupId } of groups) {
    left -= scope.sql.run(DELETE_GROUP_RESULTS, { namespace, groupId, limit: left });
    if (left === 0) return true;
    scope.sql.run(DELETE_GROUP, { namespace, groupId });
  }
  return groups.length === limit;
}

function findGroup(scope: OperationScope, { namespace, groupId }: GroupRef): StoredGroup | null {
  const group = scope.sql.get<Omit<StoredGroup, "results">>(GET_GROUP, { namespace, groupId, now: scope.now });
  if (group === undefined) return null;
  return { ...group, results: scope.sql.all<MemberResult>(LIST_GROUP_RESULTS, { namespace, groupId }) };
}
