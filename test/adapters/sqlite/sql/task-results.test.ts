import { beforeAll, describe, expect, it } from "vitest";
import {
  getStatus,
  listStatuses,
  setStatus,
  type StoredStatusWrite,
} from "../../../../adapters/sqlite/operations/results.ts";
import { mayReplace, type StateStamp, TASK_STATES } from "../../../../src/core/task-state.ts";
import { type OperationBench, openOperationBench } from "../operation-bench.ts";

const FENCES = [undefined, 1, 2] as const;
const ATTEMPTS = [0, 1] as const;
const TTL = 100;

function everyStamp(): StateStamp[] {
  return TASK_STATES.flatMap((state) =>
    FENCES.flatMap((fence) => ATTEMPTS.map((attempt) => ({ state, attempt, fence }))),
  );
}

function aWrite(id: string, stamp: StateStamp, meta: unknown = {}): StoredStatusWrite {
  const { state, attempt, fence } = stamp;
  return {
    id,
    state,
    attempt,
    fence: fence ?? null,
    payload: null,
    error: null,
    meta: JSON.stringify(meta),
    queue: null,
    ttl: TTL,
  };
}

function show({ state, attempt, fence }: StateStamp): string {
  return `${state} of attempt ${attempt} under token ${fence ?? "none"}`;
}

describe("PUT_STATUS", () => {
  let bench: OperationBench;
  let lastId = 0;
  const nextId = (): string => `task-${(lastId += 1)}`;

  beforeAll(async () => {
    bench = await openOperationBench();
  });

  function set(id: string, stamp: StateStamp): boolean {
    return bench.run(setStatus, { namespace: "stem", write: aWrite(id, stamp) });
  }

  it("replaces exactly what mayReplace lets it, over all states, attempts and tokens", () => {
    let pairs = 0;
    for (const stored of everyStamp()) {
      for (const next of everyStamp()) {
        const id = nextId();
        expect(set(id, stored)).toBe(true);
        const told = bench.signals.length;
        const pair = `${show(stored)}, then ${show(next)}`;
        const isReplaced = mayReplace(stored, next);
        expect(set(id, next), pair).toBe(isReplaced);
        const row = bench.run(getStatus, { namespace: "stem", id });
        const { state, attempt } = isReplaced ? next : stored;
        expect(row, pair).toMatchObject({ state, attempt });
        expect(bench.signals.length - told, `signals after ${pair}`).toBe(isReplaced ? 1 : 0);
        pairs += 1;
      }
    }
    expect(pairs).toBe((TASK_STATES.length * FENCES.length * ATTEMPTS.length) ** 2);
  });

  it("replaces whatever has expired, to the millisecond, with a creation and a token of its own", () => {
    const id = nextId();
    bench.now = 5_000;
    set(id, { state: "succeeded", attempt: 3, fence: 9 });
    bench.now = 5_000 + TTL - 1;
    expect(set(id, { state: "queued", attempt: 0, fence: 1 })).toBe(false);
    bench.now = 5_000 + TTL;
    expect(set(id, { state: "queued", attempt: 0, fence: 1 })).toBe(true);
    const row = bench.database.get("select fence, created_at from task_results where id = :id", { id });
    expect(row).toEqual({ fence: 1, created_at: 5_000 + TTL });
  });

  it("keeps the creation, and the token of a write that has none", () => {
    const id = nextId();
    bench.now = 7_000;
    set(id, { state: "running", attempt: 0, fence: 4 });
    bench.now = 7_010;
    set(id, { state: "running", attempt: 0 });
    const row = bench.database.get("select fence, created_at, updated_at from task_results where id = :id", { id });
    expect(row).toEqual({ fence: 4, created_at: 7_000, updated_at: 7_010 });
    expect(set(id, { state: "running", attempt: 0, fence: 3 })).toBe(false);
  });
});

describe("LIST_STATUSES", () => {
  const stored: unknown = {
    text: "a",
    odd: "\ud800\u0000",
    one: 1,
    big: 1e300,
    zero: -0,
    yes: true,
    no: false,
    nothing: null,
    empty: {},
    none: [],
    list: [1, [2, { a: null }]],
    object: { b: 1, "a.b": { c: "x" }, '"': [] },
    "": "blank key",
    "a.b[0]": "path-like key",
  };

  const MATCHES: readonly (readonly [wanted: Record<string, unknown>, isMatch: boolean])[] = [
    [{}, true],
    [{ text: "a" }, true],
    [{ text: "b" }, false],
    [{ text: "A" }, false],
    [{ text: null }, true],
    [{ absent: null }, false],
    [{ absent: "a" }, false],
    [{ nothing: null }, true],
    [{ nothing: 0 }, false],
    [{ nothing: "" }, false],
    [{ one: 1 }, true],
    [{ one: "1" }, false],
    [{ one: true }, false],
    [{ yes: 1 }, false],
    [{ yes: true }, true],
    [{ no: true }, false],
    [{ no: false }, true],
    [{ big: 1e300 }, true],
    [{ big: 1e299 }, false],
    [{ zero: 0 }, true],
    [{ odd: "\ud800\u0000" }, true],
    [{ odd: "\ud801\u0000" }, false],
    [{ odd: "\ud800" }, false],
    [{ empty: {} }, true],
    [{ empty: [] }, false],
    [{ none: [] }, true],
    [{ none: {} }, false],
    [{ none: [0] }, false],
    [{ list: [1, [2, { a: null }]] }, true],
    [{ list: [[2, { a: null }], 1] }, false],
    [{ list: [1, [2, { a: 0 }]] }, false],
    [{ list: [1, [2, {}]] }, false],
    [{ list: [1] }, false],
    [{ object: { '"': [], "a.b": { c: "x" }, b: 1 } }, true],
    [{ object: { '"': [], a: { b: { c: "x" } }, b: 1 } }, false],
    [{ object: { b: 1 } }, false],
    [{ object: {} }, false],
    [{ "": "blank key" }, true],
    [{ "a.b[0]": "path-like key" }, true],
    [{ text: "a", one: 1 }, true],
    [{ text: "a", one: 2 }, false],
  ];

  it.each(MATCHES)("finds by meta %j: %s", async (wanted, isMatch) => {
    const bench = await openOperationBench();
    const write = aWrite("task", { state: "running", attempt: 0 });
    // As this library writes JSON, which JSON.stringify does not quite: of -0.
    const meta = JSON.stringify(stored).replace('"zero":0', '"zero":-0');
    bench.run(setStatus, { namespace: "stem", write: { ...write, meta } });
    const request = { namespace: "stem", state: null, queue: null, limit: 10, offset: 0 };
    const found = bench.run(listStatuses, { ...request, meta: JSON.stringify(wanted) });
    expect(found.length === 1).toBe(isMatch);
  });
});
