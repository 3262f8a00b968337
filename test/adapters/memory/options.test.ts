import { describe, expect, it } from "vitest";
import {
  resolveInMemoryBrokerOptions,
  resolveInMemoryResultBackendOptions,
  resolveInMemoryRevokeStoreOptions,
} from "../../../adapters/memory/index.ts";

const CASES = [
  {
    name: "resolveInMemoryBrokerOptions",
    resolve: resolveInMemoryBrokerOptions,
    defaults: {
      namespace: "stem",
      defaultVisibilityTimeout: 30_000,
      sweeperInterval: 10_000,
      deadLetterRetention: 604_800_000,
      maxDeliveries: 5,
      maxPayloadBytes: 1_048_576,
    },
    bad: {
      namespace: ["", "a b", 1],
      defaultVisibilityTimeout: [0, -1, Number.NaN, "1s"],
      sweeperInterval: [-1, Number.POSITIVE_INFINITY],
      deadLetterRetention: [-1, null],
      maxDeliveries: [0, 1.5],
      maxPayloadBytes: [0, 67_108_865],
      clock: [{}, 5],
      ids: ["x"],
      logger: [{}],
      store: [{}],
    },
  },
  {
    name: "resolveInMemoryResultBackendOptions",
    resolve: resolveInMemoryResultBackendOptions,
    defaults: {
      namespace: "stem",
      defaultTtl: 86_400_000,
      groupDefaultTtl: 86_400_000,
      heartbeatTtl: 60_000,
      cleanupInterval: 60_000,
      maxPayloadBytes: 1_048_576,
    },
    bad: {
      namespace: ["", null],
      defaultTtl: [0, Number.NaN],
      groupDefaultTtl: [0, "1"],
      heartbeatTtl: [0],
      cleanupInterval: [-1],
      maxPayloadBytes: [0.5],
      clock: [{ now: 1 }],
      logger: [{}],
      store: [{}],
    },
  },
  {
    name: "resolveInMemoryRevokeStoreOptions",
    resolve: resolveInMemoryRevokeStoreOptions,
    defaults: { namespace: "stem" },
    bad: { namespace: [""], store: [{}] },
  },
] as const;

for (const { name, resolve, defaults, bad } of CASES) {
  describe(name, () => {
    it("fills in the defaults, frozen, for no options and for undefined ones", () => {
      const resolved = resolve();
      expect(resolved).toMatchObject(defaults);
      expect(Object.isFrozen(resolved)).toBe(true);
      const undefinedEverywhere = Object.fromEntries(Object.keys(resolved).map((key) => [key, undefined]));
      expect(resolve(undefinedEverywhere)).toEqual(resolved);
    });

    it("checks every field", () => {
      expect(Object.keys(bad).sort()).toEqual(Object.keys(resolve()).sort());
      for (const [field, values] of Object.entries(bad)) {
        for (const value of values) {
          const code = expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/);
          expect(() => resolve({ [field]: value }), `${field}: ${String(value)}`).toThrow(
            expect.objectContaining({ code }),
          );
        }
      }
    });

    it("refuses options it does not know", () => {
      const code = "STEM_INVALID_OPTION";
      expect(() => resolve({ visibilityTimeout: 1 } as never)).toThrow(expect.objectContaining({ code }));
      expect(() => resolve("stem" as never)).toThrow(expect.objectContaining({ code }));
    });
  });
}
