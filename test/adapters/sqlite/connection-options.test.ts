import { describe, expect, it } from "vitest";
import { splitConnectionOptions } from "../../../adapters/sqlite/connection-options.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { InvalidOptionError } from "../../../src/errors.ts";
import { FakeClock, RecordingLogger, createSeededRandomness } from "../../../src/testing/index.ts";
import { STRANGERS } from "../../src/core/bad-values.ts";
import { thrownBy } from "../../src/core/thrown-by.ts";

describe("connection-options", () => {
  it("has its documented defaults, frozen", () => {
    const { connection, own } = splitConnectionOptions(undefined);
    expect(connection).toMatchObject({ storage: undefined, engine: "auto", durability: "full", customClock: false });
    expect(Object.isFrozen(connection)).toBe(true);
    expect(own).toEqual({});
  });

  it("takes its own options out and leaves the others as they are", () => {
    const given = {
      storage: memoryStorage(),
      engine: "inline",
      durability: "relaxed",
      clock: new FakeClock(),
      randomness: createSeededRandomness(),
      logger: new RecordingLogger(),
      namespace: "a",
      unknown: 1,
    } as const;
    const { connection, own } = splitConnectionOptions(given as never);
    const { namespace, unknown, ...ours } = given;
    expect(connection).toMatchObject({ customClock: true });
    for (const [name, value] of Object.entries(ours)) expect(connection).toHaveProperty(name, value);
    expect(own).toEqual({ namespace, unknown });
  });

  it("keeps a key such as __proto__ among the options that somebody has to refuse", () => {
    const { own } = splitConnectionOptions(JSON.parse('{"__proto__":{"engine":"thread"}}') as object);
    expect(Object.keys(own)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
  });

  it.each(["storage", "engine", "sqlEngine", "durability", "clock", "randomness", "logger"])(
    "refuses every stranger as %s, naming it",
    (name) => {
      for (const [index, value] of STRANGERS.entries()) {
        const error = thrownBy(() => splitConnectionOptions({ [name]: value }));
        expect(error, `${index}`).toBeInstanceOf(InvalidOptionError);
        expect(error).toMatchObject({ details: { option: name } });
      }
    },
  );

  it("refuses ports that lack a part", () => {
    const method = (): number => 0;
    const { identify, acquire } = memoryStorage();
    const partial = {
      storage: [
        { identify },
        { acquire },
        { identify, acquire },
        { identify, acquire, name: "x" },
        { identify, acquire, name: 5, capabilities: {} },
      ],
      clock: [{ now: method }, { now: method, monotonic: method }, { now: method, monotonic: method, schedule: 5 }],
      sqlEngine: [{ open: method }, { prepare: method }],
      randomness: [{ number: method }, { fill: method }],
      logger: [{}, { warn: method }, { log: "x" }],
    };
    for (const [name, values] of Object.entries(partial)) {
      for (const value of values)
        expect(
          thrownBy(() => splitConnectionOptions({ [name]: value })),
          name,
        ).toBeInstanceOf(InvalidOptionError);
    }
  });

  it.each([null, 5, "file.db", true, 1n, Symbol("s"), () => 1, [], [1]])(
    "refuses options that are no object (case %#)",
    (options) => {
      expect(thrownBy(() => splitConnectionOptions(options as never))).toBeInstanceOf(InvalidOptionError);
    },
  );
});
