import { describe, expect, it } from "vitest";
import type { SetStatusOptions, TaskError } from "../../../src/contracts/result-backend.ts";
import type { StemErrorCode } from "../../../src/errors.ts";
import { expectError } from "../support.ts";
import { onBench, type OpenResultBackendFixture } from "./result-backend-bench.ts";

const ERROR: TaskError = { type: "TypeError", message: "böse", stack: "at x", retryable: true, meta: { "a.b": [1] } };

/** One status: what is written is what is read. */
export function describeStatus(open: OpenResultBackendFixture): void {
  describe("set and get", () => {
    it(
      "give back every field",
      onBench(open, async ({ backend }) => {
        const options = { payload: { n: [1, null, -0, "\u{1f600}"] }, error: ERROR, attempt: 3, meta: { queue: "a" } };
        expect(await backend.set("t", "retried", options)).toBe(true);
        expect(await backend.get("t")).toEqual({ id: "t", state: "retried", ...options });
      }),
    );

    it(
      "leave out what was not given",
      onBench(open, async ({ backend }) => {
        await backend.set("t", "running");
        expect(await backend.get("t")).toStrictEqual({ id: "t", state: "running", attempt: 0, meta: {} });
      }),
    );

    it(
      "tell a payload of null from none",
      onBench(open, async ({ backend }) => {
        await backend.set("t", "succeeded", { payload: null });
        expect(await backend.get("t")).toStrictEqual({
          id: "t",
          state: "succeeded",
          attempt: 0,
          payload: null,
          meta: {},
        });
      }),
    );

    it.for([false, 0, "", [], {}, "x".repeat(50_000), { nested: { deep: [[[[1]]]] } }])(
      "carry the payload %j",
      async (payload, context) => {
        await onBench(open, async ({ backend }) => {
          await backend.set("t", "succeeded", { payload });
          expect((await backend.get("t"))?.payload).toEqual(payload);
        })(context);
      },
    );

    it(
      "give null for an unknown task",
      onBench(open, async ({ backend }) => {
        expect(await backend.get("unknown")).toBeNull();
      }),
    );

    it(
      "share no object with the caller",
      onBench(open, async ({ backend }) => {
        const payload = { list: [1] };
        await backend.set("t", "succeeded", { payload });
        payload.list.push(2);
        const read = (await backend.get("t"))!;
        expect(read.payload).toEqual({ list: [1] });
        (read.payload as typeof payload).list.push(3);
        expect((await backend.get("t"))?.payload).toEqual({ list: [1] });
      }),
    );

    it(
      "replace the whole record: no field of an earlier write stays",
      onBench(open, async ({ backend }) => {
        await backend.set("t", "retried", { payload: 1, error: ERROR, attempt: 1, meta: { old: true } });
        await backend.set("t", "succeeded", { payload: 2, attempt: 2, meta: { newer: true } });
        expect(await backend.get("t")).toStrictEqual({
          id: "t",
          state: "succeeded",
          attempt: 2,
          payload: 2,
          meta: { newer: true },
        });
      }),
    );

    it(
      "keep createdAt and move updatedAt",
      onBench(open, async ({ backend, clock }) => {
        const createdAt = new Date(clock.now());
        await backend.set("t", "queued");
        await clock.advance(700);
        await backend.set("t", "running");
        const { items } = await backend.listTaskStatuses();
        expect(items).toMatchObject([{ createdAt, updatedAt: new Date(clock.now()) }]);
      }),
    );

    it(
      "keep namespaces apart",
      onBench(open, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        expect([bench.backend.namespace, other.namespace]).toEqual(["stem", "other"]);
        await bench.backend.set("t", "running");
        expect(await other.get("t")).toBeNull();
        await other.set("t", "failed");
        expect((await bench.backend.get("t"))?.state).toBe("running");
        expect((await other.listTaskStatuses()).items).toHaveLength(1);
      }),
    );

    it(
      "work over several handles, and over a new opening",
      onBench(open, async (bench) => {
        const other = await bench.open();
        await bench.backend.set("t", "succeeded", { payload: 1, fence: 5 });
        expect((await other.get("t"))?.payload).toBe(1);
        await other.close();
        await bench.reopen();
        expect((await bench.backend.get("t"))?.payload).toBe(1);
        expect(await bench.backend.set("t", "running")).toBe(false);
      }),
    );
  });

  describe("set, when it refuses", () => {
    const REFUSED: readonly (readonly [string, SetStatusOptions, StemErrorCode])[] = [
      ["a payload that is no JSON", { payload: new Map() as never }, "STEM_PAYLOAD_NOT_SERIALIZABLE"],
      ["a payload with NaN", { payload: [Number.NaN] }, "STEM_PAYLOAD_NOT_SERIALIZABLE"],
      ["a payload that is too large", { payload: "x".repeat(600) }, "STEM_PAYLOAD_TOO_LARGE"],
      ["meta that is too large", { meta: { text: "x".repeat(600) } }, "STEM_PAYLOAD_TOO_LARGE"],
      ["meta that is no JSON", { meta: { f: (() => 1) as never } }, "STEM_PAYLOAD_NOT_SERIALIZABLE"],
      ["a negative attempt", { attempt: -1 }, "STEM_INVALID_OPTION"],
      ["a time to live that is none", { ttl: Number.NaN }, "STEM_INVALID_OPTION"],
      ["a negative time to live", { ttl: -1 }, "STEM_INVALID_OPTION"],
    ];
    it.for(REFUSED)("refuses %s and keeps what was stored", async ([, options, code], context) => {
      await onBench(
        open,
        async ({ backend }) => {
          await backend.set("t", "running", { payload: 1 });
          await expectError(() => backend.set("t", "succeeded", options), code);
          expect(await backend.get("t")).toMatchObject({ state: "running", payload: 1 });
        },
        { maxPayloadBytes: 500 },
      )(context);
    });

    it(
      "refuses unknown states and task ids that are none",
      onBench(open, async ({ backend }) => {
        await expectError(() => backend.set("t", "done" as never), "STEM_INVALID_OPTION");
        await expectError(() => backend.set("a b", "running"), "STEM_INVALID_NAME");
        await expectError(() => backend.get(""), "STEM_INVALID_NAME");
      }),
    );
  });
}
