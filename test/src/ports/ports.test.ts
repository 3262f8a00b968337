import { afterEach, describe, expect, it, vi } from "vitest";
import { consoleLogger, silentLogger } from "../../../src/ports/console-logger.ts";
import { createEnvelope, generateEnvelopeId } from "../../../src/ports/create-envelope.ts";
import { systemRandomness } from "../../../src/ports/system-randomness.ts";
import { StemError } from "../../../src/errors.ts";
import { thrownBy } from "../core/thrown-by.ts";

describe("ports/console-logger", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("writes warnings and errors, with their facts, and nothing else", () => {
    const lines: unknown[][] = [];
    for (const level of ["log", "debug", "info", "warn", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((...parts) => void lines.push([level, ...parts]));
    }
    for (const level of ["debug", "info", "warn", "error"] as const) consoleLogger.log(level, `a ${level}`);
    consoleLogger.log("error", "with facts", { a: 1 });
    silentLogger.log("error", "unheard");
    expect(lines).toEqual([
      ["warn", "[stem] a warn"],
      ["error", "[stem] a error"],
      ["error", "[stem] with facts", { a: 1 }],
    ]);
  });
});

describe("ports/system-randomness", () => {
  it("gives numbers in [0, 1) and bytes that differ", () => {
    const numbers = Array.from({ length: 1_000 }, () => systemRandomness.number());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const [one, other] = [new Uint8Array(32), new Uint8Array(32)];
    systemRandomness.fill(one);
    systemRandomness.fill(other);
    expect(one).not.toEqual(other);
  });
});

describe("ports/create-envelope", () => {
  it("gives each envelope a new id, rising, and the present time", () => {
    const before = Date.now();
    const envelopes = Array.from({ length: 100 }, () => createEnvelope({ name: "a" }));
    const ids = envelopes.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set([...ids, generateEnvelopeId()]).size).toBe(101);
    expect(envelopes[0]?.enqueuedAt.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(Object.isFrozen(envelopes[0])).toBe(true);
  });

  it("keeps a given id and time", () => {
    expect(createEnvelope({ name: "a", id: "mine", enqueuedAt: new Date(5) })).toMatchObject({
      id: "mine",
      enqueuedAt: new Date(5),
    });
  });

  it.each([null, undefined, 5, "x", {}, [], { name: "" }, { name: "a", id: "b c" }])("refuses %j", (init) => {
    expect(thrownBy(() => createEnvelope(init as never))).toBeInstanceOf(StemError);
  });
});
