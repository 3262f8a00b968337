import { describe, expect, it } from "vitest";
import { resolveSqliteResultBackendOptions } from "../../../adapters/sqlite/sqlite-result-backend-options.ts";
import { resolveSqliteRevokeStoreOptions } from "../../../adapters/sqlite/sqlite-revoke-store-options.ts";

const CASES = [
  {
    name: "resolveSqliteResultBackendOptions",
    resolve: resolveSqliteResultBackendOptions,
    defaults: {
      namespace: "stem",
      defaultTtl: 86_400_000,
      groupDefaultTtl: 86_400_000,
      heartbeatTtl: 60_000,
      cleanupInterval: 60_000,
      maxPayloadBytes: 1_048_576,
    },
    bad: {
      namespace: ["", "a b", null],
      defaultTtl: [0, -1, Number.NaN, "1d"],
      groupDefaultTtl: [0, Number.POSITIVE_INFINITY],
      heartbeatTtl: [0, null],
      cleanupInterval: [-1, Number.NaN],
      maxPayloadBytes: [0, 0.5, 67_108_865],
    },
  },
  {
    name: "resolveSqliteRevokeStoreOptions",
    resolve: resolveSqliteRevokeStoreOptions,
    defaults: { namespace: "stem" },
    bad: { namespace: ["", "a b", 1, null] },
  },
] as const;

for (const { name, resolve, defaults, bad } of CASES) {
  describe(name, () => {
    it("fills in the defaults, frozen, for no options and for undefined ones", () => {
      const resolved = resolve({});
      expect(resolved).toEqual(defaults);
      expect(Object.isFrozen(resolved)).toBe(true);
      expect(resolve(Object.fromEntries(Object.keys(defaults).map((field) => [field, undefined])))).toEqual(defaults);
    });

    it("checks every field, and knows no others", () => {
      expect(Object.keys(bad)).toEqual(Object.keys(defaults));
      const refusal = expect.objectContaining({ code: expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/) });
      for (const [field, values] of Object.entries(bad)) {
        for (const value of values) {
          expect(() => resolve({ [field]: value }), `${field}: ${String(value)}`).toThrow(refusal);
        }
      }
      expect(() => resolve({ unknown: 1 } as never)).toThrow(refusal);
    });
  });
}
