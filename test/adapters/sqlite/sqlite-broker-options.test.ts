import { describe, expect, it } from "vitest";
import { resolveSqliteBrokerOptions } from "../../../adapters/sqlite/sqlite-broker-options.ts";
import { StemError } from "../../../src/errors.ts";
import { STRANGERS } from "../../src/core/bad-values.ts";
import { thrownBy } from "../../src/core/thrown-by.ts";

/** Bounds of each number: the least, the greatest, and what is just beyond them. */
const NUMBERS = {
  defaultVisibilityTimeout: [1, 9_000_000_000_000, 0, 9_000_000_000_001],
  pollInterval: [1, 9_000_000_000_000, 0, 9_000_000_000_001],
  sweeperInterval: [0, 9_000_000_000_000, -1, 9_000_000_000_001],
  deadLetterRetention: [0, 9_000_000_000_000, -1, 9_000_000_000_001],
  maxDeliveries: [1, 1_000_000, 0, 1_000_001],
  maxPayloadBytes: [1, 67_108_864, 0, 67_108_865],
} as const;

describe("sqlite-broker-options", () => {
  it("has its documented defaults, frozen", () => {
    const options = resolveSqliteBrokerOptions({});
    expect(options).toEqual({
      namespace: "stem",
      defaultVisibilityTimeout: 30_000,
      pollInterval: 250,
      sweeperInterval: 10_000,
      deadLetterRetention: 604_800_000,
      maxDeliveries: 5,
      maxPayloadBytes: 1_048_576,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it.each(Object.entries(NUMBERS))(
    "takes %s up to its bounds and not beyond",
    (name, [least, greatest, below, above]) => {
      for (const value of [least, greatest])
        expect(resolveSqliteBrokerOptions({ [name]: value })).toHaveProperty(name, value);
      for (const value of [below, above, ...STRANGERS]) {
        if (name.endsWith("Interval") && value === 5) continue;
        expect(thrownBy(() => resolveSqliteBrokerOptions({ [name]: value }))).toMatchObject({
          code: "STEM_INVALID_OPTION",
          details: { option: name },
        });
      }
    },
  );

  it("takes whole numbers only for counts", () => {
    expect(thrownBy(() => resolveSqliteBrokerOptions({ maxDeliveries: 1.5 }))).toBeInstanceOf(StemError);
    expect(thrownBy(() => resolveSqliteBrokerOptions({ maxPayloadBytes: 1.5 }))).toBeInstanceOf(StemError);
  });

  it("refuses namespaces that are no names", () => {
    const refused = STRANGERS.filter(
      (value) => thrownBy(() => resolveSqliteBrokerOptions({ namespace: value as string })) instanceof StemError,
    );
    expect(refused).toEqual(STRANGERS.filter((value) => value !== "5" && value !== "NaN"));
  });

  it.each(["namespaces", "visibilityTimeout", "pollingInterval", "__proto__", "constructor"])(
    "refuses the unknown option %s",
    (name) => {
      const given = JSON.parse(`{"${name}":1}`) as object;
      expect(thrownBy(() => resolveSqliteBrokerOptions(given))).toMatchObject({ details: { option: name } });
    },
  );
});
