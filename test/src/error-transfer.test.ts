import { describe, expect, it } from "vitest";
import { ConstraintError } from "../../adapters/sqlite/database/engine-errors.ts";
import { describeError, reviveError } from "../../src/error-transfer.ts";
import { EngineError, StemError } from "../../src/errors.ts";

describe("error-transfer", () => {
  it("makes an EngineError of anything else, with its text and its stack", () => {
    const cause = new TypeError("x is not a function");
    const description = describeError(cause);
    expect(description).toMatchObject({
      name: "EngineError",
      code: "STEM_ENGINE",
      retryable: false,
      outcome: "not-applied",
      details: {},
    });
    expect(description.message).toContain("x is not a function");
    expect(description.cause).toContain("error-transfer.test");
    const revived = reviveError(description);
    expect(revived).toBeInstanceOf(EngineError);
    expect(revived.cause).toBe(description.cause);
  });

  it.each([
    "boom",
    "",
    5,
    5n,
    true,
    null,
    undefined,
    Symbol("s"),
    {},
    [],
    () => 1,
    Object.create(null),
    {
      toString: () => {
        throw new Error("ran");
      },
    },
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("ran");
        },
      },
    ),
  ])("describes whatever was thrown, without throwing (case %#)", (thrown) => {
    const description = describeError(thrown);
    expect(description).toMatchObject({ name: "EngineError", message: expect.any(String) });
    expect(structuredClone(description)).toEqual(description);
    expect(reviveError(description)).toBeInstanceOf(EngineError);
  });

  it("describes an error whose cause cannot be read as text", () => {
    const error = new EngineError("it broke", { cause: Object.create(null) });
    expect(describeError(error)).toMatchObject({ name: "EngineError", cause: expect.any(String) });
  });

  it("makes the nearest public class of an internal subclass", () => {
    const revived = reviveError(describeError(new ConstraintError("UNIQUE constraint failed")));
    expect(revived).toBeInstanceOf(EngineError);
    expect(revived.message).toContain("UNIQUE");
  });

  it("keeps a class of a later release as a StemError with its name and code", () => {
    const later = {
      name: "LaterError",
      code: "STEM_LATER",
      message: "later",
      retryable: true,
      outcome: "odd",
      details: { a: 1 },
    };
    const revived = reviveError(later);
    expect(revived).toBeInstanceOf(StemError);
    expect(revived).toMatchObject({
      name: "LaterError",
      code: "STEM_LATER",
      message: "later",
      retryable: true,
      outcome: "not-applied",
      details: { a: 1 },
    });
  });

  it("revives no class by the name of something on a prototype", () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      const revived = reviveError({ name, code: "X", message: "m", retryable: false, outcome: "unknown", details: {} });
      expect(Object.getPrototypeOf(revived)).toBe(StemError.prototype);
      expect(revived.outcome).toBe("unknown");
    }
  });
});
