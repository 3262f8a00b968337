import { describe, expect, it } from "vitest";
import { describeError, reviveError } from "../../src/error-transfer.ts";
import * as databaseErrors from "../../src/error-database.ts";
import * as errors from "../../src/errors.ts";
import { showValue, StemError, type StemErrorCode } from "../../src/errors.ts";

/** One of each class, with the code, and whether it may be retried and its outcome is known. */
const EACH: readonly (readonly [
  error: StemError,
  code: StemErrorCode,
  facts?: { retryable?: true; outcome?: "unknown" },
])[] = [
  [new errors.InvalidOptionError("a", 5, "b"), "STEM_INVALID_OPTION"],
  [new errors.InvalidNameError("queue", "x y", "must not"), "STEM_INVALID_NAME"],
  [new errors.PayloadNotSerializableError("args.a", "it is odd", new Error("why")), "STEM_PAYLOAD_NOT_SERIALIZABLE"],
  [new errors.PayloadTooLargeError("args", 1, 2), "STEM_PAYLOAD_TOO_LARGE"],
  [new errors.MalformedEnvelopeError("id", "is missing"), "STEM_MALFORMED_ENVELOPE"],
  [new errors.DuplicateIdConflictError("id", "mail"), "STEM_DUPLICATE_ID"],
  [new errors.DuplicateTaskError("a"), "STEM_DUPLICATE_TASK"],
  [new errors.UnknownTaskError("a"), "STEM_UNKNOWN_TASK"],
  [new errors.MissingBackendError("get"), "STEM_MISSING_BACKEND"],
  [new errors.LeaseLostError("id", "mail"), "STEM_LEASE_LOST"],
  [new errors.TaskRevokedError("id", "because", "me"), "STEM_TASK_REVOKED"],
  [new errors.TaskFailedError("id", "failed", "Error", "boom"), "STEM_TASK_FAILED"],
  [new errors.TimeoutError("it", 5), "STEM_TIMEOUT"],
  [new errors.ClosedError("it"), "STEM_CLOSED"],
  [
    new errors.OutcomeUnknownError("publish", new Error("EIO")),
    "STEM_OUTCOME_UNKNOWN",
    { retryable: true, outcome: "unknown" },
  ],
  [new errors.StorageFullError("/a"), "STEM_STORAGE_FULL", { retryable: true }],
  [new errors.StorageIoError("write", "/a", "EIO"), "STEM_STORAGE_IO", { retryable: true }],
  [new errors.StorageReadOnlyError("/a", "access"), "STEM_STORAGE_READ_ONLY"],
  [new errors.DatabaseBusyError("/a", "another"), "STEM_DATABASE_BUSY", { retryable: true }],
  [new errors.DatabaseCorruptError("/a", "page 3"), "STEM_DATABASE_CORRUPT"],
  [new errors.DatabaseReplacedError("/a", "was moved"), "STEM_DATABASE_REPLACED"],
  [new errors.StorageEvictedError("/a"), "STEM_STORAGE_EVICTED"],
  [new errors.OwnershipLostError("/a", "its lock was taken away"), "STEM_OWNERSHIP_LOST", { retryable: true }],
  [new databaseErrors.DatabaseExistsError("/a"), "STEM_DATABASE_EXISTS"],
  [new errors.NotAQueueDatabaseError("/a", "it is text"), "STEM_NOT_A_QUEUE_DATABASE"],
  [new errors.SchemaTooNewError("/a", 9, 4), "STEM_SCHEMA_TOO_NEW"],
  [new databaseErrors.SchemaTamperedError("/a", "a trigger"), "STEM_SCHEMA_TAMPERED"],
  [new errors.MultipleLinksError("/a", 2), "STEM_MULTIPLE_LINKS"],
  [
    new errors.OwnerUnresponsiveError("/a", "process 5", 10_000),
    "STEM_OWNER_UNRESPONSIVE",
    { retryable: true, outcome: "unknown" },
  ],
  [new errors.VersionMismatchError("protocol version", 1, 2), "STEM_VERSION_MISMATCH"],
  [new errors.IsolateError("a", "ended its thread"), "STEM_ISOLATE", { retryable: true }],
  [new errors.NotDrainedError("it is slow", [{ id: "task-1", name: "a" }]), "STEM_NOT_DRAINED"],
  [new databaseErrors.QueryError("no such table: a"), "STEM_QUERY"],
  [new databaseErrors.QueryLimitError("steps", 5), "STEM_QUERY_LIMIT"],
  [new errors.UnsupportedEnvironmentError("threads"), "STEM_UNSUPPORTED_ENVIRONMENT"],
  [new errors.EngineError("it broke", { details: { a: 1 } }), "STEM_ENGINE"],
];

const ROWS = EACH.map(([error, code, facts = {}]) => ({ name: error.name, error, code, facts }));

describe("errors", () => {
  it("covers every class", () => {
    const classes = [...Object.values(errors), ...Object.values(databaseErrors)].filter(
      (value) => typeof value === "function" && value.prototype instanceof StemError,
    );
    expect(EACH.map(([error]) => error.constructor).toSorted(byName)).toEqual(classes.toSorted(byName));
    expect(new Set(EACH.map(([, code]) => code)).size).toBe(EACH.length);
  });

  it.each(ROWS)("$name has its code, and says what is known", ({ error, code, facts }) => {
    expect(error).toBeInstanceOf(StemError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: error.constructor.name,
      code,
      retryable: facts.retryable ?? false,
      outcome: facts.outcome ?? "not-applied",
    });
    expect(error.message).toMatch(/\S\.$/);
    expect(Object.keys(error.details).length).toBeGreaterThan(0);
    expect(error.stack).toContain(error.constructor.name);
  });

  it.each(ROWS)("$name survives the way through a channel that copies", ({ error }) => {
    const revived = reviveError(structuredClone(describeError(error)));
    expect(revived).toBeInstanceOf(error.constructor);
    expect(revived).toBeInstanceOf(StemError);
    expect(revived.constructor).toBe(error.constructor);
    for (const field of ["name", "message", "code", "retryable", "outcome", "details"] as const) {
      expect(revived[field], field).toEqual(error[field]);
    }
    expect(String(revived)).toBe(String(error));
    if (error.cause !== undefined) expect(String(revived.cause)).toContain((error.cause as Error).message);
  });

  it("has no cause where none was given", () => {
    expect("cause" in new errors.StorageFullError("/a")).toBe(false);
    expect(new errors.StorageFullError("/a", "why").cause).toBe("why");
  });
});

describe("errors as text", () => {
  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [-0, "-0"],
    [5n, "5n"],
    ['a"b', '"a\\"b"'],
    [Symbol("secret"), "symbol"],
    [() => 1, "function"],
    [[1, 2], "array of 2"],
    [
      {
        toString: () => {
          throw new Error("ran");
        },
      },
      "object",
    ],
    [Object.create(null), "object"],
    ["x".repeat(1_000_000), `"${"x".repeat(80)}..."`],
  ])("shows a value without running its code (case %#)", (value, text) => {
    expect(showValue(value)).toBe(text);
  });

  it.each([new Proxy({}, { get: hostile, getPrototypeOf: hostile }), Proxy.revocable([], {}).proxy])(
    "shows a hostile value (case %#)",
    (value) => {
      expect(() => showValue(value)).not.toThrow();
    },
  );

  it("shows a revoked proxy", () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(showValue(proxy)).toBe("object");
  });
});

function hostile(): never {
  throw new Error("ran");
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}
