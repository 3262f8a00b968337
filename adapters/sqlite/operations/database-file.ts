import type { SqlParameters, SqlValue } from "../../../src/contracts/sql-database.ts";
import { EngineError } from "../../../src/errors.ts";
import { toBase64 } from "../base64.ts";
import { fromQueryValue, type QueryValue, toQueryValue } from "../query-values.ts";
import type { Operation } from "./operation.ts";

/** One statement of somebody else's that only reads. */
export interface QueryCall {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, QueryValue>>;
  readonly maxRows: number;
}

/** Its answer, in a form that every channel carries. */
export interface QueryReply {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly QueryValue[])[];
  readonly truncated: boolean;
}

/** Names a copy: the id is the member's own, and never given twice. */
export interface CopyRef {
  readonly id: number;
}

/** A part of a copy. */
export interface CopyPart extends CopyRef {
  readonly at: number;
  readonly length: number;
}

/** What one query may cost the owner: less than a second as a rule, while everybody else waits. */
const LIMITS = {
  maxSteps: 10_000_000,
  maxMilliseconds: 2_000,
  maxMemoryBytes: 268_435_456,
  maxValueBytes: 67_108_864,
  maxAnswerBytes: 8_388_608,
} as const;
/** Of all copies that one owner has in memory at a time. */
const MAX_COPY_BYTES = 1_073_741_824;

/** Runs one statement that only reads. It sees what the calls before it have done. */
export const queryDatabase: Operation<QueryCall, QueryReply> = {
  kind: "read",
  run: ({ file }, { sql, parameters, maxRows }) => {
    const { columns, rows, truncated } = file.query({
      sql,
      parameters: fromParameters(parameters),
      maxRows,
      ...LIMITS,
    });
    return { columns, rows: rows.map((row) => row.map(toQueryValue)), truncated };
  },
};

/** Copies the database, for the member to read, and returns the size in bytes. */
export const beginCopy: Operation<CopyRef, number> = {
  kind: "read",
  run: (scope, { id }) => {
    const { file, copies, member } = scope;
    const left = MAX_COPY_BYTES - copies.bytes;
    if (left <= 0) throw new EngineError("too many copies of it are being read", { retryable: true });
    const copy = file.copy(left);
    copies.announce(copy.length);
    // It shows what this transaction does, so it counts only if that does.
    scope.afterCommit(() => copies.put(member.session, id, copy));
    return copy.length;
  },
};

/** A part of a copy as base64; `null` when this owner does not have the copy. */
export const readCopy: Operation<CopyPart, string | null> = {
  kind: "read",
  run: ({ copies, member }, { id, at, length }) => {
    const copy = copies.get(member.session, id);
    return copy === undefined ? null : toBase64(copy.subarray(at, at + length));
  },
};

/** Forgets a copy. */
export const endCopy: Operation<CopyRef, null> = {
  kind: "read",
  run: ({ copies, member }, { id }) => {
    copies.drop(member.session, id);
    return null;
  },
};

function fromParameters(parameters: Readonly<Record<string, QueryValue>>): SqlParameters {
  const values = Object.entries(parameters).map(([name, value]): [string, SqlValue] => [name, fromQueryValue(value)]);
  return Object.assign(Object.create(null) as Record<string, SqlValue>, Object.fromEntries(values));
}
