import { assert, date, dictionary, integer, jsonValue, option, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildEnvelope,
  copyEnvelope,
  decodeEnvelope,
  encodeEnvelope,
  type Envelope,
  type EnvelopeInit,
  envelopeFromJson,
  envelopeToJson,
  isSameMessage,
  MAX_HEADER_BYTES,
} from "../../../src/core/envelope.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { MalformedEnvelopeError, PayloadTooLargeError, StemError } from "../../../src/errors.ts";
import { anyText } from "./any-text.ts";
import { replayable } from "./replay.ts";
import { thrownBy } from "./thrown-by.ts";

const NOW = Date.UTC(2026, 0, 1);
const build = (init: Partial<EnvelopeInit> = {}): Envelope =>
  buildEnvelope({ name: "mail.send", ...init }, "id-1", NOW);
const full = build({
  args: { to: "a", n: -0 },
  headers: { traceparent: "00-x" },
  meta: { "stem.queue": "mail" },
  notBefore: new Date(NOW + 5),
  priority: 7,
  attempt: 2,
  maxRetries: 3,
  visibilityTimeout: 1_000,
  queue: "mail",
});

describe("core/envelope", () => {
  it("fills in defaults", () => {
    expect(build()).toEqual({
      id: "id-1",
      name: "mail.send",
      args: {},
      headers: {},
      enqueuedAt: new Date(NOW),
      priority: 0,
      attempt: 0,
      maxRetries: 0,
      queue: "default",
      meta: {},
    });
  });

  it("is frozen", () => {
    expect(Object.isFrozen(full)).toBe(true);
    expect(Object.isFrozen(copyEnvelope(full, {}))).toBe(true);
    expect(Object.isFrozen(decodeEnvelope(encodeEnvelope(full)))).toBe(true);
  });

  it("does not follow a date that its maker changes afterwards", () => {
    const notBefore = new Date(NOW);
    const envelope = build({ notBefore, enqueuedAt: notBefore });
    notBefore.setTime(0);
    expect([envelope.notBefore?.getTime(), envelope.enqueuedAt.getTime()]).toEqual([NOW, NOW]);
  });

  it("comes back from its text as it was", () => {
    expect(decodeEnvelope(encodeEnvelope(full))).toEqual(full);
    expect(Object.is(decodeEnvelope(encodeEnvelope(full)).args["n"], -0)).toBe(true);
    expect(envelopeFromJson(envelopeToJson(full))).toEqual(full);
  });

  it("comes back from its text, whatever it holds", () => {
    const text = anyText();
    const facts = record({
      args: dictionary(text, jsonValue({ maxDepth: 3 })),
      headers: dictionary(text, text),
      meta: dictionary(text, jsonValue({ maxDepth: 3 })),
      enqueuedAt: date({ noInvalidDate: true }),
      notBefore: option(date({ noInvalidDate: true }), { nil: undefined }),
      priority: integer(),
      attempt: integer({ min: 0 }),
      maxRetries: integer({ min: 0, max: 1_000_000 }),
      visibilityTimeout: option(integer({ min: 1 }), { nil: undefined }),
    });
    assert(
      property(facts, (init) => {
        const envelope = build(init as Partial<EnvelopeInit>);
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
      }),
      replayable("test/src/core/envelope.test.ts", 200),
    );
  });

  it("keeps keys such as __proto__ as data", () => {
    const args = JSON.parse('{"__proto__":{"x":1},"constructor":2,"then":3}') as JsonObject;
    const back = decodeEnvelope(encodeEnvelope(build({ args }))).args;
    expect(JSON.stringify(back)).toBe(JSON.stringify(args));
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });
});

const BAD: readonly (readonly [field: keyof EnvelopeInit, values: readonly unknown[]])[] = [
  ["id", ["", "a b", "a\0", "x".repeat(201), 5, {}, true, [], 1n, Symbol("x")]],
  ["name", [undefined, null, "", " ", "a b", "e\u0301", 5, {}, []]],
  ["queue", ["", "a b", "'; drop table queue_jobs; --", 5, {}, false, Number.NaN]],
  ["args", [[], "x", 5, true, () => 1, Symbol("x"), 1n]],
  ["meta", [[], "x", 5, true, () => 1]],
  [
    "headers",
    [
      [],
      "x",
      5,
      { a: 1 },
      { a: null },
      { a: undefined },
      { a: {} },
      {
        get a(): string {
          throw new Error("no");
        },
      },
    ],
  ],
  [
    "headers",
    [
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no");
          },
        },
      ),
    ],
  ],
  ["enqueuedAt", ["2026-01-01", NOW, new Date(Number.NaN), {}, [], true, Object.create(Date.prototype)]],
  ["notBefore", ["2026-01-01", NOW, new Date(Number.NaN), {}, [], true, null, Object.create(Date.prototype)]],
  ["priority", ["1", 1.5, Number.NaN, Infinity, 2 ** 31, -(2 ** 31) - 1, 1n, {}, [], true]],
  ["attempt", [-1, 1.5, "0", Number.NaN, Infinity, 2 ** 53, {}, true]],
  ["maxRetries", [-1, 1.5, "3", Number.NaN, Infinity, 1_000_001, {}, true]],
  ["visibilityTimeout", [0, -1, 0.5, "1000", Number.NaN, Infinity, 9_000_000_000_001, {}, true, null, 1n]],
];

describe("core/envelope with bad fields", () => {
  it.each(BAD.flatMap(([field, values]) => values.map((value, index) => ({ field, value, index }))))(
    "refuses $field, case $index",
    ({ field, value }) => {
      const error = thrownBy(() => build({ [field]: value }));
      expect(error).toBeInstanceOf(StemError);
      expect(error).toMatchObject({ outcome: "not-applied", retryable: false });
      expect(
        thrownBy(() =>
          copyEnvelope(
            full,
            field === "notBefore" || field === "visibilityTimeout" ? { [field]: value ?? 0 } : { [field]: value },
          ),
        ),
      ).toBeInstanceOf(StemError);
    },
  );

  it.each([null, undefined, 5, "x", true])("refuses %j in the place of the fields", (init) => {
    expect(thrownBy(() => buildEnvelope(init as never, "id", NOW))).toBeInstanceOf(StemError);
  });

  it("takes the bounds of every number", () => {
    const bounds = {
      priority: -(2 ** 31),
      attempt: Number.MAX_SAFE_INTEGER,
      maxRetries: 1_000_000,
      visibilityTimeout: 1,
    };
    expect(build(bounds)).toMatchObject(bounds);
    expect(build({ priority: 2 ** 31 - 1, visibilityTimeout: 9_000_000_000_000 }).priority).toBe(2_147_483_647);
  });
});

describe("core/envelope copies", () => {
  it("changes what was asked for and nothing else", () => {
    expect(copyEnvelope(full, { attempt: 3 })).toEqual({ ...full, attempt: 3 });
    expect(copyEnvelope(full, {})).toEqual(full);
  });

  it("removes notBefore and visibilityTimeout by null, and keeps them by undefined's absence", () => {
    expect(copyEnvelope(full, { notBefore: null })).not.toHaveProperty("notBefore");
    expect(copyEnvelope(full, { visibilityTimeout: null })).not.toHaveProperty("visibilityTimeout");
    expect(copyEnvelope(full, { notBefore: null })).toHaveProperty("visibilityTimeout", 1_000);
  });
});

describe("core/envelope sizes", () => {
  const bytes = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

  it.each(["args", "meta"] as const)("limits %s on its own, to the byte", (field) => {
    const value = { text: "é".repeat(500) };
    const envelope = build({ [field]: value });
    expect(() => encodeEnvelope(envelope, bytes(value))).not.toThrow();
    expect(thrownBy(() => encodeEnvelope(envelope, bytes(value) - 1))).toMatchObject({
      code: "STEM_PAYLOAD_TOO_LARGE",
      details: { what: field, limit: bytes(value) - 1, actual: bytes(value) },
    });
  });

  it("limits headers to 64 KiB, to the byte, whatever the payload limit", () => {
    const overhead = bytes({ h: "" });
    const fits = build({ headers: { h: "x".repeat(MAX_HEADER_BYTES - overhead) } });
    const over = build({ headers: { h: "x".repeat(MAX_HEADER_BYTES - overhead + 1) } });
    expect(() => encodeEnvelope(fits)).not.toThrow();
    expect(thrownBy(() => encodeEnvelope(over, 67_108_864))).toBeInstanceOf(PayloadTooLargeError);
  });

  it("takes 1 MiB by default", () => {
    const overhead = bytes({ a: "" });
    expect(() => encodeEnvelope(build({ args: { a: "x".repeat(1_048_576 - overhead) } }))).not.toThrow();
    expect(thrownBy(() => encodeEnvelope(build({ args: { a: "x".repeat(1_048_577 - overhead) } })))).toBeInstanceOf(
      PayloadTooLargeError,
    );
  });
});

const STORED = envelopeToJson(full);
const { id: _id, ...withoutId } = STORED;
const { args: _args, ...withoutArgs } = STORED;

describe("core/envelope from stored text", () => {
  it.each([
    "",
    " ",
    "null",
    "5",
    '"x"',
    "[]",
    "{",
    "{}",
    "\0",
    "undefined",
    `${JSON.stringify(STORED)}x`,
    JSON.stringify(STORED).slice(0, -5),
    JSON.stringify(withoutId),
    JSON.stringify(withoutArgs),
    ...[
      { id: 5 },
      { id: "" },
      { id: null },
      { name: "a b" },
      { name: null },
      { args: null, headers: 5 },
      { args: [] },
      { args: "x" },
      { headers: { a: 5 } },
      { headers: [] },
      { meta: [] },
      { meta: "x" },
      { enqueuedAt: null },
      { enqueuedAt: "yesterday" },
      { enqueuedAt: "" },
      { enqueuedAt: 5 },
      { enqueuedAt: "5" },
      { enqueuedAt: {} },
      { enqueuedAt: true },
      { notBefore: "soon" },
      { notBefore: 0 },
      { notBefore: "2026-13-45T00:00:00Z" },
      { priority: "1" },
      { priority: 1.5 },
      { attempt: -1 },
      { maxRetries: 1e9 },
      { visibilityTimeout: 0 },
      { visibilityTimeout: "5" },
      { queue: "a b" },
      { queue: 5 },
    ].map((change) => JSON.stringify({ ...STORED, ...change })),
    "[".repeat(100_000),
  ])("refuses what is no envelope (case %#)", (text) => {
    const error = thrownBy(() => decodeEnvelope(text));
    expect(error).toBeInstanceOf(MalformedEnvelopeError);
    expect(error).toMatchObject({ code: "STEM_MALFORMED_ENVELOPE", details: { path: expect.any(String) } });
  });

  it("takes null for what may be absent, and ignores fields of later releases", () => {
    const minimal = { id: "a", name: "b", args: {}, enqueuedAt: "2026-01-01T00:00:00.000Z" };
    const nulls = { headers: null, notBefore: null, priority: null, attempt: null, maxRetries: null };
    const text = JSON.stringify({ ...minimal, ...nulls, visibilityTimeout: null, queue: null, meta: null, later: 1 });
    expect(decodeEnvelope(text)).toEqual(buildEnvelope({ name: "b" }, "a", NOW));
  });

  it("takes instants with microseconds and offsets, and those beyond the year 9999", () => {
    const decode = (enqueuedAt: string): number =>
      decodeEnvelope(JSON.stringify({ ...STORED, enqueuedAt })).enqueuedAt.getTime();
    expect(decode("2026-01-01T00:00:00.123456Z")).toBe(NOW + 123);
    expect(decode("2026-01-01T02:00:00+02:00")).toBe(NOW);
    expect(decode("+275760-09-13T00:00:00.000Z")).toBe(8.64e15);
  });
});

describe("core/envelope sameness", () => {
  it("is about what the message says, not about where its delivery stands", () => {
    expect(isSameMessage(full, copyEnvelope(full, { attempt: 5, priority: 1, meta: { x: 1 }, notBefore: null }))).toBe(
      true,
    );
    // A producer that enqueues again after a crash makes a new date.
    expect(isSameMessage(full, copyEnvelope(full, { enqueuedAt: new Date(NOW + 1) }))).toBe(true);
  });

  it.each<Partial<Envelope>>([
    { id: "other" },
    { name: "other" },
    { queue: "other" },
    { args: { to: "b", n: -0 } },
    { args: { to: "a", n: 0 } },
    { headers: {} },
  ])("ends with %j", (change) => {
    expect(isSameMessage(full, copyEnvelope(full, change))).toBe(false);
  });
});
