import { assert, boolean, constantFrom, double, integer, option, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_RETRIES,
  mayRetry,
  resolveRetryPolicy,
  retryDelay,
  retryPolicyFromJson,
  retryPolicyToJson,
  type TaskRetryPolicy,
} from "../../../src/core/retry-policy.ts";
import { exponentialJitterRetryStrategy } from "../../../src/core/retry-strategy.ts";
import { MAX_DURATION_MS } from "../../../src/core/duration.ts";
import { InvalidOptionError } from "../../../src/errors.ts";
import { STRANGERS } from "./bad-values.ts";
import { replayable } from "./replay.ts";
import { thrownBy } from "./thrown-by.ts";

const FILE = "test/src/core/retry-policy.test.ts";
const noJitter = (): number => 0;
const ALMOST_ONE = 1 - Number.EPSILON;
const delays = (policy: TaskRetryPolicy, attempts: readonly number[]): number[] =>
  attempts.map((attempt) => retryDelay(resolveRetryPolicy({ jitter: false, ...policy }), attempt, noJitter));

describe("core/retry-policy", () => {
  it("waits the default delay each time without backoff", () => {
    expect(delays({ defaultDelay: 5 }, [0, 1, 1_000_000])).toEqual([5, 5, 5]);
  });

  it("doubles the delay with backoff, up to its maximum", () => {
    expect(delays({ backoff: true, defaultDelay: 100, backoffMax: 1_000 }, [0, 1, 2, 3, 4, 100])).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it.each([1_000, 1_023, 1_024, 5_000, MAX_RETRIES])("stays within every bound at attempt %i", (attempt) => {
    expect(delays({ backoff: true, defaultDelay: 100 }, [attempt])).toEqual([MAX_DURATION_MS]);
    expect(delays({ backoff: true, defaultDelay: 100, backoffMax: 50 }, [attempt])).toEqual([50]);
    expect(delays({ backoff: true, defaultDelay: 0 }, [attempt])).toEqual([0]);
    expect(delays({ backoff: true, defaultDelay: 0, backoffMax: 70 }, [attempt])).toEqual([70]);
  });

  it("gives a valid delay for any policy, attempt and draw, at most a quarter below the cap", () => {
    const cases = record({
      backoff: boolean(),
      jitter: boolean(),
      defaultDelay: double({ min: 0, max: MAX_DURATION_MS, noNaN: true }),
      backoffMax: option(double({ min: 0, max: MAX_DURATION_MS, noNaN: true }), { nil: undefined }),
      attempt: integer({ min: 0, max: MAX_RETRIES }),
      draw: constantFrom(0, 0.25, 0.5, ALMOST_ONE),
    });
    assert(
      property(cases, ({ attempt, draw, ...policy }) => {
        const resolved = resolveRetryPolicy(policy as TaskRetryPolicy);
        const cap = retryDelay({ ...resolved, jitter: false }, attempt, noJitter);
        const delay = retryDelay(resolved, attempt, () => draw);
        expect(delay).toBeGreaterThanOrEqual(cap * 0.75 - 1);
        expect(delay).toBeLessThanOrEqual(cap);
        expect(cap).toBeLessThanOrEqual(MAX_DURATION_MS);
        expect(delay).toBeGreaterThanOrEqual(0);
      }),
      replayable(FILE, 2_000),
    );
  });

  it("comes back from its JSON as it was", () => {
    for (const policy of [
      {},
      {
        backoff: true,
        backoffMax: 5,
        jitter: false,
        defaultDelay: 1,
        maxRetries: 2,
        autoRetryFor: ["A"],
        dontAutoRetryFor: ["B"],
      },
    ]) {
      const resolved = resolveRetryPolicy(policy);
      expect(retryPolicyFromJson(JSON.parse(JSON.stringify(retryPolicyToJson(resolved))) as never)).toEqual(resolved);
    }
  });

  it.each([
    null,
    undefined,
    5,
    "x",
    true,
    [],
    [1],
    { backoff: 1 },
    { unknown: 1 },
    { defaultDelayMs: -1 },
    { defaultDelayMs: "5" },
    { backoffMaxMs: {} },
    { backoffMaxMs: null },
    { autoRetryFor: "x" },
    { autoRetryFor: [5] },
    { maxRetries: 1.5 },
  ])("refuses the stored policy %j", (json) => {
    expect(thrownBy(() => retryPolicyFromJson(json as never))).toBeInstanceOf(InvalidOptionError);
  });

  it.each(["backoff", "jitter", "defaultDelay", "backoffMax", "maxRetries", "autoRetryFor", "dontAutoRetryFor"])(
    "refuses strangers as %s, naming it",
    (field) => {
      const allowed = field.endsWith("RetryFor") ? 1 : field === "backoff" || field === "jitter" ? 2 : 0;
      const refused = STRANGERS.filter(
        (value) => thrownBy(() => resolveRetryPolicy({ [field]: value })) instanceof InvalidOptionError,
      );
      expect(refused).toHaveLength(STRANGERS.length - allowed);
      expect(thrownBy(() => resolveRetryPolicy({ [field]: {} }))).toMatchObject({
        details: { option: `retryPolicy.${field}` },
      });
    },
  );

  it("is not changed by what its maker does to the lists afterwards", () => {
    const types = ["A"];
    const policy = resolveRetryPolicy({ autoRetryFor: types });
    types.push("B");
    expect(policy.autoRetryFor).toEqual(["A"]);
    expect(Object.isFrozen(policy)).toBe(true);
  });

  it("retries by count and by type, the refusal winning", () => {
    const policy = resolveRetryPolicy({ autoRetryFor: ["A", "B"], dontAutoRetryFor: ["B"] });
    expect(mayRetry(undefined, "A", 2, 3)).toBe(true);
    expect(mayRetry(undefined, "A", 3, 3)).toBe(false);
    expect(mayRetry(policy, "A", 0, 3)).toBe(true);
    expect(mayRetry(policy, "B", 0, 3)).toBe(false);
    expect(mayRetry(policy, "C", 0, 3)).toBe(false);
    expect(mayRetry(resolveRetryPolicy({ maxRetries: 5 }), "A", 4, 3)).toBe(true);
    expect(mayRetry(resolveRetryPolicy({ maxRetries: 0 }), "A", 0, 3)).toBe(false);
    expect(mayRetry(resolveRetryPolicy({ dontAutoRetryFor: ["A"] }), "Z", 0, 1)).toBe(true);
  });
});

describe("core/retry-strategy", () => {
  it("doubles from base to max, taking up to a quarter off", () => {
    const strategy = exponentialJitterRetryStrategy();
    expect([0, 1, 2, 20, 2_000].map((attempt) => strategy.nextDelay(attempt, noJitter))).toEqual([
      2_000, 4_000, 8_000, 300_000, 300_000,
    ]);
    expect(strategy.nextDelay(0, () => ALMOST_ONE)).toBe(1_500);
    expect(strategy.nextDelay(1_000_000, () => ALMOST_ONE)).toBe(225_000);
  });

  it("never gives what is no delay", () => {
    for (const options of [{ base: 0 }, { base: 0, max: 0 }, { base: 1, max: 0 }, { base: 5, max: MAX_DURATION_MS }]) {
      const strategy = exponentialJitterRetryStrategy(options);
      for (const attempt of [0, 1, 1_023, 1_024, MAX_RETRIES]) {
        const delay = strategy.nextDelay(attempt, () => ALMOST_ONE);
        expect(delay, JSON.stringify({ options, attempt })).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(MAX_DURATION_MS);
      }
    }
  });

  it.each(["base", "max"])("refuses strangers as %s", (field) => {
    for (const value of STRANGERS) {
      expect(thrownBy(() => exponentialJitterRetryStrategy({ [field]: value }))).toBeInstanceOf(InvalidOptionError);
    }
    expect(thrownBy(() => exponentialJitterRetryStrategy({ factor: 2 } as never))).toBeInstanceOf(InvalidOptionError);
  });
});
