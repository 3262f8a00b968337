import { describe, expect, it } from "vitest";
import { checkDuration, MAX_DURATION_MS } from "../../../src/core/duration.ts";
import { checkBoolean, checkDate, checkInteger, checkOneOf, mergeOptions } from "../../../src/core/options.ts";
import { InvalidOptionError } from "../../../src/errors.ts";
import { STRANGERS } from "./bad-values.ts";
import { thrownBy } from "./thrown-by.ts";

const refusals = (check: (value: unknown) => unknown, values: readonly unknown[]): void => {
  values.forEach((value, index) => {
    expect(
      thrownBy(() => check(value)),
      `value ${index}`,
    ).toBeInstanceOf(InvalidOptionError);
  });
};
const without = (kind: string): readonly unknown[] => STRANGERS.filter((value) => typeof value !== kind);

describe("core/options", () => {
  it("lays given values over defaults, undefined meaning the default", () => {
    const defaults = { a: 1, b: "x", c: undefined as number | undefined };
    expect(mergeOptions(defaults, { a: undefined, b: "y" } as never)).toEqual({ a: 1, b: "y", c: undefined });
    expect(mergeOptions(defaults, undefined)).toEqual(defaults);
    expect(mergeOptions(defaults, undefined)).not.toBe(defaults);
    expect(mergeOptions(defaults, { c: null } as never)).toEqual({ a: 1, b: "x", c: null });
  });

  it.each(["d", "A", "__proto__", "constructor", "toString", "a.b", ""])("refuses the unknown option %j", (name) => {
    const given = JSON.parse(`{"${name}":1}`) as object;
    const error = thrownBy(() => mergeOptions({ a: 1 }, given, "policy"));
    expect(error).toMatchObject({ code: "STEM_INVALID_OPTION", details: { option: `policy.${name}` } });
    expect((error as Error).message).toContain("a");
  });

  it("refuses options that are no object", () => {
    refusals(
      (value) => mergeOptions({ a: 1 }, value as never),
      [null, "", "x", 5, true, 1n, [], [1], () => 1, Symbol("x")],
    );
  });

  it("refuses every stranger in the place of an integer, and what is beyond the bounds", () => {
    const bounds = { min: 0, max: 10 };
    refusals(
      (value) => checkInteger("n", value, bounds),
      [...without("number"), ...[Number.NaN, Infinity, -Infinity, -1, 11, 0.5]],
    );
    expect([0, 10].map((value) => checkInteger("n", value, bounds))).toEqual([0, 10]);
  });

  it("refuses every stranger in the place of a duration, and what is beyond the bounds", () => {
    refusals(
      (value) => checkDuration("ms", value),
      [...without("number"), ...[Number.NaN, Infinity, -Infinity, -1, -0.001]],
    );
    refusals((value) => checkDuration("ms", value, { min: 1, max: 5 }), [0, 0.999, 5.001, MAX_DURATION_MS]);
    expect([0, 0.5, MAX_DURATION_MS].map((value) => checkDuration("ms", value))).toEqual([0, 0.5, MAX_DURATION_MS]);
    expect(thrownBy(() => checkDuration("ms", MAX_DURATION_MS + 1))).toBeInstanceOf(InvalidOptionError);
  });

  it("keeps any present instant plus the longest duration a valid date", () => {
    const far = Date.UTC(2200, 0, 1) - 1 + MAX_DURATION_MS;
    expect(Number.isNaN(new Date(far).getTime())).toBe(false);
    expect(Number.isSafeInteger(far)).toBe(true);
  });

  it("refuses every stranger in the place of a boolean, a choice or a date", () => {
    refusals((value) => checkBoolean("b", value), without("boolean"));
    refusals((value) => checkOneOf("c", value, ["one", "two"]), STRANGERS);
    refusals(
      (value) => checkDate("d", value),
      STRANGERS.filter((value) => !(value instanceof Date)),
    );
    refusals(
      (value) => checkDate("d", value),
      [new Date(Number.NaN), new Date(8.64e15 + 1), Object.create(Date.prototype)],
    );
  });

  it("returns a copy of a date", () => {
    const date = new Date(5);
    expect(checkDate("d", date)).toEqual(date);
    expect(checkDate("d", date)).not.toBe(date);
  });

  it("names option, value and what is allowed, without running code of the value", () => {
    const value = {
      toString: () => {
        throw new Error("ran");
      },
      [Symbol.toPrimitive]: () => {
        throw new Error("ran");
      },
    };
    expect(thrownBy(() => checkInteger("prefetch", value, { min: 1, max: 5 }))).toMatchObject({
      details: { option: "prefetch", value: "object", allowed: "a whole number from 1 to 5" },
    });
  });
});
