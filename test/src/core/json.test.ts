import { runInNewContext } from "node:vm";
import { anything, assert, constantFrom, dictionary, jsonValue, oneof, property, string } from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  checkTextSize,
  MAX_JSON_DEPTH,
  stringifyJson,
  stringifyJsonWithin,
  utf8Length,
} from "../../../src/core/json.ts";
import { PayloadNotSerializableError, PayloadTooLargeError } from "../../../src/errors.ts";
import { thrownBy } from "./thrown-by.ts";
import { anyText } from "./any-text.ts";
import { describePrimordials } from "./primordials.ts";
import { replayable } from "./replay.ts";
import { nested, UNSTORABLE } from "./unstorable-values.ts";

const FILE = "test/src/core/json.test.ts";
const before = describePrimordials();

/** Equal in every leaf, `-0` and `0` told apart; keys in any order. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === null || typeof one !== "object") return Object.is(one, other);
  if (other === null || typeof other !== "object" || Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Reflect.ownKeys(one);
  const get = (from: object, key: PropertyKey): unknown => Object.getOwnPropertyDescriptor(from, key)?.value;
  return keys.length === Reflect.ownKeys(other).length && keys.every((key) => isSame(get(one, key), get(other, key)));
}

function roundTrip(value: unknown): unknown {
  return JSON.parse(stringifyJson(value, "args"));
}

describe("core/json", () => {
  afterAll(() => expect(describePrimordials()).toBe(before));

  it.each(UNSTORABLE)("refuses $label, naming its path", ({ make, path, reason }) => {
    const error = thrownBy(() => stringifyJson(make(), "args"));
    expect(error).toBeInstanceOf(PayloadNotSerializableError);
    expect(error).toMatchObject({
      code: "STEM_PAYLOAD_NOT_SERIALIZABLE",
      details: { path, reason: expect.stringMatching(reason) },
    });
  });

  it("keeps the error that a hostile value throws as its cause", () => {
    const hostile = new Error("hostile");
    const value = new Proxy(
      {},
      {
        ownKeys: () => {
          throw hostile;
        },
      },
    );
    expect(thrownBy(() => stringifyJson(value, "args"))).toMatchObject({ cause: hostile });
  });

  it.each([
    ["-0", -0],
    ["-0 inside", { a: [0, -0, { b: -0 }], c: "x", d: null, e: true }],
    ["numbers at the edges", [Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, Number.MAX_VALUE, 1e21, 0.1 + 0.2]],
    ["a NUL", "a\0b"],
    ["lone surrogates", ["\ud800", "\udfff", "a\udc00b", { "\ud83d": "\ud83d" }]],
    ["four-byte characters", "😀𝒳\u{10ffff}"],
    ["right-to-left marks", "\u202eabc\u2066"],
    ["an empty key", { "": { "": "" } }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 })],
    ["objects of another realm", runInNewContext("({ a: [1, { b: 'c' }] })")],
    ["an array of another realm", runInNewContext("[[1], 'x']")],
    ["a frozen object", Object.freeze({ a: Object.freeze([1]) })],
    ["a well-behaved proxy", new Proxy({ a: new Proxy([1, 2], {}) }, {})],
  ])("brings %s back as it was", (_label, value) => {
    expect(isSame(value, roundTrip(value))).toBe(true);
  });

  it("stores an object that is referred to twice, where no cycle comes about", () => {
    const shared = { n: 1 };
    expect(roundTrip({ a: shared, b: [shared, shared] })).toEqual({ a: { n: 1 }, b: [{ n: 1 }, { n: 1 }] });
  });

  it("takes exactly 200 levels", () => {
    expect(MAX_JSON_DEPTH).toBe(200);
    expect(isSame(nested(200), roundTrip(nested(200)))).toBe(true);
  });

  it("refuses 100,000 levels of objects without running out of stack", () => {
    let value: unknown = {};
    for (let level = 0; level < 100_000; level += 1) value = { v: value };
    expect(thrownBy(() => stringifyJson(value, "args"))).toBeInstanceOf(PayloadNotSerializableError);
  });

  it("keeps the message short when the path is long", () => {
    const error = thrownBy(() =>
      stringifyJson({ ["k".repeat(1_000_000)]: { ["l".repeat(1_000_000)]: undefined } }, "args"),
    );
    expect((error as Error).message.length).toBeLessThan(2_000);
  });
});

describe("core/json with keys of prototypes", () => {
  const KEYS = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "then",
    "hasOwnProperty",
    "length",
  ] as const;

  it.each(KEYS)("keeps %s as a property of its own", (key) => {
    const value = JSON.parse(`{"${key}":{"polluted":true,"list":[-0]}}`) as Record<string, unknown>;
    const back = roundTrip(value) as Record<string, unknown>;
    expect(Object.getOwnPropertyDescriptor(back, key)?.value).toEqual({ polluted: true, list: [-0] });
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("keeps any mixture of them", () => {
    const keys = oneof(constantFrom(...KEYS), string());
    assert(
      property(dictionary(keys, jsonValue()), (value) => isSame(value, roundTrip(value))),
      replayable(FILE, 1_500),
    );
    expect(describePrimordials()).toBe(before);
  });
});

describe("core/json with anything", () => {
  const everything = anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
    key: oneof(string(), constantFrom("__proto__", "constructor", "toJSON", "then", "0")),
  });

  it("either brings a value back exactly or refuses it with a typed error", () => {
    let stored = 0;
    let refused = 0;
    assert(
      property(everything, (value) => {
        let text: string;
        try {
          text = stringifyJson(value, "args");
        } catch (error) {
          refused += 1;
          return error instanceof PayloadNotSerializableError;
        }
        stored += 1;
        return isSame(value, JSON.parse(text));
      }),
      replayable(FILE, 20_000),
    );
    expect(Math.min(stored, refused), "both must be frequent").toBeGreaterThan(
      process.env["STEM_SEED"] === undefined ? 1_000 : -1,
    );
    expect(describePrimordials()).toBe(before);
  });
});

describe("core/json sizes", () => {
  it.each([
    ["ASCII", "a"],
    ["two bytes", "é"],
    ["three bytes", "€"],
    ["four bytes", "😀"],
  ])("counts %s exactly: the limit passes, one byte less does not", (_label, unit) => {
    const value = { text: unit.repeat(1_000) };
    const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
    expect(stringifyJsonWithin(value, "args", bytes)).toBe(JSON.stringify(value));
    expect(stringifyJsonWithin(value, "args", bytes + 1)).toBe(JSON.stringify(value));
    const error = thrownBy(() => stringifyJsonWithin(value, "args", bytes - 1));
    expect(error).toBeInstanceOf(PayloadTooLargeError);
    expect(error).toMatchObject({ details: { what: "args", limit: bytes - 1, actual: bytes } });
  });

  it("counts what escapes add", () => {
    expect(stringifyJsonWithin("\0\ud800", "args", 14)).toBe('"\\u0000\\ud800"');
    expect(thrownBy(() => stringifyJsonWithin("\0\ud800", "args", 13))).toBeInstanceOf(PayloadTooLargeError);
  });

  it("counts as an encoder does, for any text", () => {
    const texts = anyText(50);
    const encoder = new TextEncoder();
    assert(
      property(texts, (text) => utf8Length(text) === encoder.encode(text).length),
      replayable(FILE, 2_000),
    );
    expect(utf8Length("a\ud83d")).toBe(4);
    expect(utf8Length("\udc00\ud83d\ude00")).toBe(7);
  });

  it("refuses a text of half a billion characters without serialising it", () => {
    const huge = "x".repeat(2 ** 29 - 24);
    const stringify = JSON.stringify.bind(JSON);
    let copied = 0;
    JSON.stringify = ((...given: Parameters<typeof stringify>) => {
      copied += 1;
      return stringify(...given);
    }) as typeof JSON.stringify;
    try {
      for (const value of [huge, { a: [huge] }, { ["k".repeat(2 ** 24)]: 1 }]) {
        expect(thrownBy(() => stringifyJsonWithin(value, "args", 1_048_576))).toBeInstanceOf(PayloadTooLargeError);
      }
      expect(copied).toBe(0);
    } finally {
      JSON.stringify = stringify;
    }
  });

  it("refuses what is long by its many parts without serialising it", () => {
    const shared = Array.from({ length: 1_000 }, () => "0123456789");
    const value = Array.from({ length: 1_000 }, () => Array.from({ length: 1_000 }, () => shared));
    expect(thrownBy(() => stringifyJsonWithin(value, "args", 1_048_576))).toBeInstanceOf(PayloadTooLargeError);
  });

  it("throws a typed error for a text that no string can hold", () => {
    const tooLong = new RangeError("Invalid string length");
    const stringify = JSON.stringify.bind(JSON);
    JSON.stringify = () => {
      throw tooLong;
    };
    const error = thrownBy(() => stringifyJson({ a: 1 }, "args"));
    JSON.stringify = stringify;
    expect(error).toBeInstanceOf(PayloadNotSerializableError);
    expect(error).toMatchObject({ cause: tooLong });
  });

  it("accepts an empty text at limit 0", () => {
    expect(() => checkTextSize("", "it", 0)).not.toThrow();
    expect(thrownBy(() => checkTextSize("a", "it", 0))).toMatchObject({ details: { actual: 1, limit: 0 } });
  });
});
