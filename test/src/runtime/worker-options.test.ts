import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { StemError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { TaskRegistry } from "../../../src/runtime/task-registry.ts";
import { resolveWorkerOptions } from "../../../src/runtime/worker-options.ts";
import { Worker } from "../../../src/runtime/worker.ts";

const nothing = async (): Promise<void> => undefined;
const broker = {
  namespace: "stem",
  consume: nothing,
  ack: nothing,
  nack: nothing,
  retry: nothing,
  deadLetter: nothing,
  settlerFor: () => undefined,
};
const valid = { broker, tasks: [] };

const NOT_NUMBERS = [null, "3", true, {}, [], Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3n];
const BAD_COUNTS = [...NOT_NUMBERS, -1, 0, 0.5, 1e9];
const BAD_DURATIONS = [...NOT_NUMBERS, -1, 1e300];
const BAD_NAMES = [null, 3, "", "a b", "x".repeat(201), "a\u0000b", "'; drop table", {}, []];
const BAD_BOOLEANS = [null, 0, 1, "true", {}];
const NO_PORTS = [null, 3, "x", {}, [], () => 1];

const BAD: Readonly<Record<string, readonly unknown[]>> = {
  broker: [...NO_PORTS, undefined, { consume: nothing }],
  backend: NO_PORTS,
  tasks: [null, 3, "demo.a", {}, [null], [{}], [{ name: "a" }], undefined],
  registry: [null, 3, {}, []],
  revokeStore: NO_PORTS,
  queue: BAD_NAMES,
  subscription: [null, 3, "default", {}, { queues: [] }, { queues: "a" }, { queues: [""] }, { broadcastChannels: [3] }],
  consumerName: BAD_NAMES,
  concurrency: BAD_COUNTS,
  prefetchMultiplier: BAD_COUNTS,
  prefetch: BAD_COUNTS,
  heartbeatInterval: [...BAD_DURATIONS, 0],
  workerHeartbeatInterval: [...BAD_DURATIONS, 0],
  heartbeatNamespace: BAD_NAMES,
  retryStrategy: NO_PORTS,
  lifecycle: [null, 3, "warm", [], { grace: 3 }],
  unregisteredTask: [null, 3, "", "drop", "deadLetter", {}],
  control: BAD_BOOLEANS,
  revocationPollInterval: [...BAD_DURATIONS, 0],
  clock: NO_PORTS,
  ids: [null, 3, "uuid", {}, []],
  randomness: NO_PORTS,
  logger: NO_PORTS,
  autoscale: [{}],
};
const BAD_LIFECYCLE: Readonly<Record<string, readonly unknown[]>> = {
  installSignalHandlers: BAD_BOOLEANS,
  softGracePeriod: BAD_DURATIONS,
  forceShutdownAfter: BAD_DURATIONS,
  signals: NO_PORTS,
};

function* cases(): Generator<[option: string, shown: string, options: object]> {
  for (const [name, values] of Object.entries(BAD)) {
    for (const value of values) yield [name, show(value), { ...valid, [name]: value }];
  }
  for (const [name, values] of Object.entries(BAD_LIFECYCLE)) {
    for (const value of values) yield [`lifecycle.${name}`, show(value), { ...valid, lifecycle: { [name]: value } }];
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  return text?.slice(0, 30) ?? typeof value;
}

function refusal(create: () => unknown): StemError | undefined {
  try {
    create();
    return undefined;
  } catch (error) {
    return error as StemError;
  }
}

/** What an error calls the option, where that is not the option's own name. */
const CALLED: Readonly<Record<string, RegExp>> = {
  tasks: /tasks|handler|task/,
  subscription: /subscription|queue|broadcast/,
  consumerName: /consumer/,
  heartbeatNamespace: /namespace/,
};

describe("new Worker refuses", () => {
  it.each([...cases()])("%s = %s", (option, _shown, options) => {
    const error = refusal(() => new Worker(options as never));

    expect(error?.code).toMatch(/^STEM_INVALID_(OPTION|NAME)$/);
    const called = String(error?.details["option"] ?? error?.details["kind"]);
    expect(called).toMatch(CALLED[option] ?? new RegExp(`^${option}`));
  });

  it.each([undefined, null, 3, "broker", []])("%j in place of options", (options) => {
    expect(() => new Worker(options as never)).toThrow(expect.objectContaining({ code: "STEM_INVALID_OPTION" }));
  });

  it("a queue beside a subscription", () => {
    const options = { ...valid, queue: "a", subscription: { queues: ["b"] } };

    expect(() => new Worker(options as never)).toThrow(/"queue" must be left out/);
  });
});

describe("resolveWorkerOptions", () => {
  const resolved = resolveWorkerOptions(valid as never);

  it("has the defaults that its documentation names", () => {
    const source = readFileSync("src/runtime/worker-options.ts", "utf8");
    const documented = [...source.matchAll(/@defaultValue `([^`]+)`\s*\*\/\s*readonly (\w+)\?/g)];
    const all: Record<string, unknown> = {
      ...resolved,
      ...resolved.lifecycle,
      queue: "default",
      prefetchMultiplier: 2,
    };
    const checked = documented.filter(([, value]) => !/concurrency|Interval|\(\)/.test(value ?? ""));

    expect(checked.length).toBeGreaterThanOrEqual(9);
    for (const [, value = "", name = ""] of checked) {
      expect([name, JSON.stringify(all[name])]).toEqual([name, value.replaceAll("_", "")]);
    }
    expect(resolved.subscription).toEqual({ queues: ["default"], broadcastChannels: [] });
    expect(resolved.prefetch).toBe(resolved.concurrency * 2);
    expect(resolved.workerHeartbeatInterval).toBe(resolved.heartbeatInterval);
    expect(resolved.consumerName).toMatch(/^stem-worker-[0-9a-f]{12}$/);
  });

  it("makes another name for each worker", () => {
    expect(resolveWorkerOptions(valid as never).consumerName).not.toBe(resolved.consumerName);
  });

  it("takes the number of processors where the platform tells it, else 4", () => {
    const told = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    const concurrencyWith = (navigator: unknown): number => {
      Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
      return resolveWorkerOptions(valid as never).concurrency;
    };
    try {
      expect(concurrencyWith({ hardwareConcurrency: 6 })).toBe(6);
      expect(concurrencyWith({})).toBe(4);
      expect(concurrencyWith(undefined)).toBe(4);
    } finally {
      if (told === undefined) Reflect.deleteProperty(globalThis, "navigator");
      else Object.defineProperty(globalThis, "navigator", told);
    }
  });

  it("adds tasks to the given registry, where the same handler may be already", () => {
    const task = defineTask("demo.a", nothing);
    const registry = new TaskRegistry([task]);
    const options = { ...valid, registry, tasks: [task, defineTask("demo.b", nothing)] };

    expect(resolveWorkerOptions(options as never).registry).toBe(registry);
    expect(registry.handlers.map(({ name }) => name)).toEqual(["demo.a", "demo.b"]);
  });
});
