import { describe, expect, it } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import type { StemError } from "../../../src/errors.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

const NOT_NUMBERS = [null, "3", true, {}, [], Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3n];
const BAD_DURATIONS = [...NOT_NUMBERS, -1, 1e300];
const BAD_DATES = [null, "2026-01-01", 1, {}, new Date(Number.NaN)];
const BAD_INTEGERS = [...NOT_NUMBERS, 0.5, 2 ** 40, -(2 ** 40)];
const BAD_BOOLEANS = [null, 0, 1, "true", {}];
const BAD_NAMES = [null, 3, "", "a b", "x".repeat(201), "a\u0000b", "';--", {}];

const BAD_TEXTS = [null, 3, true, {}, "", "x".repeat(201)];
const BAD_JSON = [new Map(), new Date(), () => 1, 1n, Number.NaN, { a: undefined }];

const ENQUEUE_OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  taskId: BAD_NAMES,
  queue: BAD_NAMES,
  countdown: BAD_DURATIONS,
  eta: BAD_DATES,
  expires: [null, "1", -1, Number.NaN, 1e300, new Date(Number.NaN)],
  priority: BAD_INTEGERS,
  timeLimit: [...BAD_DURATIONS, 0],
  softTimeLimit: [...BAD_DURATIONS, 0],
  ignoreResult: BAD_BOOLEANS,
  addToParent: BAD_BOOLEANS,
  retryPolicy: [null, 3, "fast", [], { backoff: 1 }, { defaultDelay: -1 }, { maxRetries: -1 }, { autoRetryFor: "x" }],
  retry: BAD_BOOLEANS,
  onConflict: [null, true, "replace", "REJECT", {}],
  link: [null, {}, "demo.b", 3],
  linkError: [null, {}, "demo.b", 3],
  exchange: BAD_TEXTS,
  routingKey: BAD_TEXTS,
  serializer: BAD_TEXTS,
  compression: BAD_TEXTS,
  shadow: BAD_TEXTS,
  replyTo: BAD_TEXTS,
  publishConnection: BAD_JSON,
  producer: BAD_JSON,
  retries: [3],
};
const TASK_OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  queue: BAD_NAMES,
  maxRetries: [...BAD_INTEGERS, -1],
  priority: BAD_INTEGERS,
  softTimeLimit: [...BAD_DURATIONS, 0],
  hardTimeLimit: [...BAD_DURATIONS, 0],
  visibilityTimeout: [...BAD_DURATIONS, 0],
  retryPolicy: [null, 3, [], { jitter: "no" }, { unknown: 1 }],
  retries: [3],
};
const REQUEST: Readonly<Record<string, readonly unknown[]>> = {
  args: [null, 3, "x", [], () => 1],
  headers: [null, 3, [], { a: 1 }, { a: null }, { a: {} }],
  meta: [null, 3, [], new Map(), new Date(), { a: 1n }, { a: undefined }, { a: Number.NaN }],
  options: [null, 3, "x", []],
  notBefore: BAD_DATES,
  enqueueOptions: [null, 3, "x", []],
  option: [{}],
};

function* cases(): Generator<[path: string, shown: string, request: object]> {
  for (const [name, values] of Object.entries(REQUEST)) {
    for (const value of values) yield [name, show(value), { [name]: value }];
  }
  for (const [name, values] of Object.entries(TASK_OPTIONS)) {
    for (const value of values) yield [`options.${name}`, show(value), { options: { [name]: value } }];
  }
  for (const [name, values] of Object.entries(ENQUEUE_OPTIONS)) {
    for (const value of values) yield [`enqueueOptions.${name}`, show(value), { enqueueOptions: { [name]: value } }];
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  return text?.slice(0, 30) ?? typeof value;
}

describe("Stem.enqueue refuses before any effect", () => {
  it.each([...cases()])("%s = %s", async (path, _shown, request) => {
    const clock = new FakeClock();
    const broker = new InMemoryBroker({ clock });
    const backend = new InMemoryResultBackend({ clock });
    for (const stem of [new Stem({ broker, clock }), new Stem({ broker, backend, clock })]) {
      const error: StemError = await stem.enqueue("demo.a", request).then(
        () => expect.unreachable("It was accepted."),
        (caught: StemError) => caught,
      );
      expect(error.code).toMatch(/^STEM_(INVALID_OPTION|INVALID_NAME|PAYLOAD_NOT_SERIALIZABLE)$/);
      const name = path.split(".")[1] ?? path;
      const place = JSON.stringify([error.details["option"], error.details["path"], error.details["kind"]]);
      expect(place).toContain(name === "taskId" ? "task id" : name);
    }
    expect(await broker.pendingCount("default")).toBe(0);
    expect((await backend.listTaskStatuses()).items).toEqual([]);
    await backend.close();
    await broker.close();
  });

  it.each([
    ["args.a", { a: undefined }],
    ["args.a", { a: 1n }],
    ["args.a.b[1]", { a: { b: [1, Number.NaN] } }],
    ["args.when", { when: new Date() }],
    ["args.f", { f: () => 1 }],
    ["args.m", { m: new Map() }],
  ])("arguments that JSON would change: %s", async (path, args) => {
    const clock = new FakeClock();
    const broker = new InMemoryBroker({ clock });
    const backend = new InMemoryResultBackend({ clock });
    const stem = new Stem({ broker, backend, clock });

    await expect(stem.enqueue("demo.a", { args: args as never })).rejects.toMatchObject({
      code: "STEM_PAYLOAD_NOT_SERIALIZABLE",
      details: { path },
    });
    expect(await broker.pendingCount("default")).toBe(0);
    expect((await backend.listTaskStatuses()).items).toEqual([]);
    await backend.close();
    await broker.close();
  });
});

describe("new Stem refuses", () => {
  const broker = { publish: async () => undefined, publishAll: async () => undefined };
  it.each([
    ["options", undefined],
    ["options", null],
    ["broker", {}],
    ["broker", { broker: null }],
    ["broker", { broker: {} }],
    ["broker", { broker: "stem.sqlite" }],
    ["backend", { broker, backend: null }],
    ["backend", { broker, backend: {} }],
    ["tasks", { broker, tasks: "demo.a" }],
    ["handler", { broker, tasks: [null] }],
    ["registry", { broker, registry: {} }],
    ["registry", { broker, registry: null }],
    ["clock", { broker, clock: null }],
    ["clock", { broker, clock: Date }],
    ["ids", { broker, ids: "uuid" }],
    ["randomness", { broker, randomness: Math.random }],
    ["logger", { broker, logger: "console" }],
    ["backends", { broker, backends: [] }],
  ])("%s in %j", (option, options) => {
    expect(() => new Stem(options as never)).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_OPTION", details: expect.objectContaining({ option }) }),
    );
  });
});
