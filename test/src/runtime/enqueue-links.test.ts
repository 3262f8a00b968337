import { describe, expect, it } from "vitest";
import type { EnqueueOptions, LinkedCall, TaskEnqueueOptions } from "../../../src/contracts/task-enqueuer.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { StemError } from "../../../src/errors.ts";
import { MAX_LINK_DEPTH, MAX_LINKED_CALLS } from "../../../src/runtime/enqueue-options.ts";
import { decodeLinkedCall } from "../../../src/runtime/linked-call.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { createSequentialIds } from "../../../src/testing/sequential-ids.ts";
import { aRecordingBroker } from "./recording-broker.ts";

const START = Date.UTC(2026, 0, 1);
const EMPTY_CALL = { args: {}, headers: {}, meta: {}, options: {}, notBefore: null };
const POLICY = { backoff: true, jitter: false, defaultDelay: 5, maxRetries: 2, backoffMax: 50 };

function aProducer() {
  const recording = aRecordingBroker();
  const stem = new Stem({ broker: recording.broker, clock: new FakeClock(START), ids: createSequentialIds() });
  return { stem, published: recording.published };
}

async function linksOf(enqueueOptions: TaskEnqueueOptions): Promise<JsonObject | undefined> {
  const { stem, published } = aProducer();
  await stem.enqueue("demo.a", { enqueueOptions });
  return published[0]?.meta;
}

/** Links in links, `depth` of them. */
function nested(depth: number): readonly LinkedCall[] {
  if (depth === 0) return [];
  return [{ name: "demo.b", enqueueOptions: { link: nested(depth - 1) } }];
}

async function refusal(options: EnqueueOptions): Promise<StemError> {
  const { stem, published } = aProducer();
  const error = await stem.enqueue("demo.a", options).then(
    () => expect.unreachable("It was accepted."),
    (caught: StemError) => caught,
  );
  expect(published).toEqual([]);
  return error;
}

describe("Linked calls of an enqueue", () => {
  it("are kept in the meta, each with an id of its own", async () => {
    const meta = await linksOf({
      link: [{ name: "demo.b" }, { name: "demo.c", enqueueOptions: { taskId: "mine" } }],
      linkError: [{ name: "demo.d" }],
    });

    expect(meta?.["stem.link"]).toEqual([
      { ...EMPTY_CALL, name: "demo.b", enqueueOptions: { taskId: "task-2" } },
      { ...EMPTY_CALL, name: "demo.c", enqueueOptions: { taskId: "mine" } },
    ]);
    expect(meta?.["stem.linkError"]).toEqual([{ ...EMPTY_CALL, name: "demo.d", enqueueOptions: { taskId: "task-3" } }]);
  });

  it("leave nothing in the meta when there are none", async () => {
    expect(Object.keys((await linksOf({ link: [], linkError: [] })) ?? {})).toEqual(["stem.task", "stem.queue"]);
  });

  it("are written with dates as texts and durations in milliseconds", async () => {
    const at = new Date(START + 1_000);
    const call: LinkedCall = {
      name: "demo.b",
      args: { n: 1 },
      headers: { h: "1" },
      meta: { m: 1 },
      options: {
        queue: "q",
        priority: 2,
        softTimeLimit: 1,
        hardTimeLimit: 2,
        visibilityTimeout: 3,
        retryPolicy: POLICY,
      },
      notBefore: at,
      enqueueOptions: {
        countdown: 5,
        eta: at,
        expires: 7,
        timeLimit: 8,
        softTimeLimit: 9,
        retryPolicy: POLICY,
        producer: { host: "h" },
        link: [{ name: "demo.c", enqueueOptions: { taskId: "c", expires: at } }],
      },
    };
    const [encoded] = ((await linksOf({ link: [call] }))?.["stem.link"] ?? []) as JsonObject[];
    const policy = {
      backoff: true,
      jitter: false,
      defaultDelayMs: 5,
      maxRetries: 2,
      backoffMaxMs: 50,
      autoRetryFor: [],
      dontAutoRetryFor: [],
    };

    expect(encoded).toEqual({
      name: "demo.b",
      args: { n: 1 },
      headers: { h: "1" },
      meta: { m: 1 },
      options: {
        queue: "q",
        priority: 2,
        softTimeLimitMs: 1,
        hardTimeLimitMs: 2,
        visibilityTimeoutMs: 3,
        retryPolicy: policy,
      },
      notBefore: at.toISOString(),
      enqueueOptions: {
        taskId: "task-2",
        countdownMs: 5,
        eta: at.toISOString(),
        expiresMs: 7,
        timeLimitMs: 8,
        softTimeLimitMs: 9,
        retryPolicy: policy,
        producer: { host: "h" },
        link: [{ ...EMPTY_CALL, name: "demo.c", enqueueOptions: { taskId: "c", expires: at.toISOString() } }],
      },
    });
    const noFilters = { autoRetryFor: [], dontAutoRetryFor: [] };
    expect(decodeLinkedCall(JSON.parse(JSON.stringify(encoded)), "x")).toEqual({
      ...call,
      options: { ...call.options, retryPolicy: { ...POLICY, ...noFilters } },
      enqueueOptions: {
        ...call.enqueueOptions,
        taskId: "task-2",
        retryPolicy: { ...POLICY, ...noFilters },
        link: [
          {
            name: "demo.c",
            args: {},
            headers: {},
            meta: {},
            options: {},
            enqueueOptions: { taskId: "c", expires: at },
          },
        ],
      },
    });
  });

  it("may be nested five deep", async () => {
    const side = Array.from({ length: MAX_LINK_DEPTH + 1 }, () => nested(MAX_LINK_DEPTH)).flat();
    expect((await linksOf({ link: side, linkError: side }))?.["stem.link"]).toHaveLength(MAX_LINK_DEPTH + 1);
    const error = await refusal({ enqueueOptions: { link: nested(MAX_LINK_DEPTH + 1) } });
    const path = "enqueueOptions.link[0]".concat(".enqueueOptions.link[0]".repeat(4), ".enqueueOptions.link");
    expect(error.details["option"]).toBe(path);
  });

  it("are refused when there are too many, or when they go round in a circle", async () => {
    const many = Array.from({ length: MAX_LINKED_CALLS + 1 }, () => ({ name: "demo.b" }));
    expect((await refusal({ enqueueOptions: { link: many } })).code).toBe("STEM_INVALID_OPTION");
    const call: { name: string; enqueueOptions: { link: LinkedCall[] } } = { name: "b", enqueueOptions: { link: [] } };
    call.enqueueOptions.link.push(call, call, call, call);
    expect((await refusal({ enqueueOptions: { link: [call] } })).code).toBe("STEM_INVALID_OPTION");
  });

  const cases: readonly (readonly [place: string, call: unknown])[] = [
    ["", null],
    ["", "demo.b"],
    ["", undefined],
    [" task", {}],
    [" task", { name: "a b" }],
    [".argument", { name: "b", argument: {} }],
    [".args", { name: "b", args: null }],
    [".args", { name: "b", args: [] }],
    [".args.x", { name: "b", args: { x: undefined } }],
    [".args.x.y[1]", { name: "b", args: { x: { y: [1, 2n] } } }],
    [".headers", { name: "b", headers: new Map() }],
    [".headers.h", { name: "b", headers: { h: 1 } }],
    [".meta", { name: "b", meta: new Date() }],
    [".meta.m", { name: "b", meta: { m: Number.NaN } }],
    [".options", { name: "b", options: null }],
    [".options.retries", { name: "b", options: { retries: 1 } }],
    [".options.maxRetries", { name: "b", options: { maxRetries: -1 } }],
    [".options.queue", { name: "b", options: { queue: "" } }],
    [".options.retryPolicy.jitter", { name: "b", options: { retryPolicy: { jitter: 1 } } }],
    [".notBefore", { name: "b", notBefore: "today" }],
    [".enqueueOptions", { name: "b", enqueueOptions: null }],
    [".enqueueOptions.delay", { name: "b", enqueueOptions: { delay: 1 } }],
    [".enqueueOptions task id", { name: "b", enqueueOptions: { taskId: "" } }],
    [".enqueueOptions queue", { name: "b", enqueueOptions: { queue: "" } }],
    [".enqueueOptions.countdown", { name: "b", enqueueOptions: { countdown: -1 } }],
    [".enqueueOptions.shadow", { name: "b", enqueueOptions: { shadow: "" } }],
    [".enqueueOptions.onConflict", { name: "b", enqueueOptions: { onConflict: "replace-pending" } }],
    [".enqueueOptions.taskId", { name: "b", enqueueOptions: { taskId: "t1" } }],
    [
      ".enqueueOptions.linkError[0].args.x",
      { name: "b", enqueueOptions: { linkError: [{ name: "c", args: { x: () => 1 } }] } },
    ],
  ];
  it.each(cases)("are refused at enqueueOptions.link[1]%s, before any effect", async (place, call) => {
    const link = [{ name: "demo.fine" }, call] as LinkedCall[];
    const { code, details } = await refusal({ enqueueOptions: { taskId: "t1", link } });

    expect(code).toMatch(/^STEM_(INVALID_OPTION|INVALID_NAME|PAYLOAD_NOT_SERIALIZABLE)$/);
    expect(details["option"] ?? details["path"] ?? details["kind"]).toBe(`enqueueOptions.link[1]${place}`);
  });

  it("cannot be one task twice", async () => {
    const same = { name: "demo.b", enqueueOptions: { taskId: "same" } };
    const { details } = await refusal({ enqueueOptions: { link: [same], linkError: [same] } });

    expect(details["option"]).toBe("enqueueOptions.linkError[0].enqueueOptions.taskId");
  });
});

describe("An encoded call", () => {
  const encoded = { ...EMPTY_CALL, name: "demo.b", enqueueOptions: { taskId: "b" } };
  it.each([
    ["x", null],
    ["x", "demo.b"],
    ["x.enqueueOptions.taskId", { ...encoded, enqueueOptions: null }],
    ["x.enqueueOptions", { ...encoded, enqueueOptions: [] }],
    ["x.options", { ...encoded, options: 3 }],
    ["x.enqueueOptions.link", { ...encoded, enqueueOptions: { taskId: "b", link: {} } }],
    ["x.enqueueOptions.link[0]", { ...encoded, enqueueOptions: { taskId: "b", link: [3] } }],
    ["retryPolicy", { ...encoded, options: { retryPolicy: 3 } }],
  ])("is refused at %s when it is none", (option, json) => {
    expect(() => decodeLinkedCall(json, "x")).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ option }) }),
    );
  });
});
