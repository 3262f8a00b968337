import { describe, expect, it } from "vitest";
import type { TaskStatusListRequest } from "../../../src/contracts/result-backend.ts";
import { expectError } from "../support.ts";
import { onBench, type OpenResultBackendFixture, type ResultBackendBench } from "./result-backend-bench.ts";

async function ids(bench: ResultBackendBench, request?: TaskStatusListRequest): Promise<string[]> {
  return (await bench.backend.listTaskStatuses(request)).items.map(({ status }) => status.id);
}

/** Filters, order and pages of statuses. */
export function describeList(open: OpenResultBackendFixture): void {
  describe("listTaskStatuses", () => {
    it(
      "lists the latest updatedAt first, then by id",
      onBench(open, async (bench) => {
        for (const id of ["b", "c", "a"]) await bench.backend.set(id, "queued");
        await bench.clock.advance(1);
        await bench.backend.set("d", "queued");
        await bench.backend.set("c", "running");
        expect(await ids(bench)).toEqual(["c", "d", "a", "b"]);
      }),
    );

    it(
      "gives whole records",
      onBench(open, async (bench) => {
        const now = new Date(bench.clock.now());
        await bench.backend.set("t", "succeeded", { payload: [1], attempt: 2, meta: { queue: "a" } });
        const status = await bench.backend.get("t");
        expect(await bench.backend.listTaskStatuses()).toEqual({ items: [{ status, createdAt: now, updatedAt: now }] });
      }),
    );

    it(
      "filters by state, by queue and by both",
      onBench(open, async (bench) => {
        await bench.backend.set("1", "running", { meta: { queue: "a" } });
        await bench.backend.set("2", "failed", { meta: { queue: "a" } });
        await bench.backend.set("3", "failed", { meta: { queue: "b" } });
        await bench.backend.set("4", "failed");
        expect(await ids(bench, { state: "failed" })).toEqual(["2", "3", "4"]);
        expect(await ids(bench, { queue: "a" })).toEqual(["1", "2"]);
        expect(await ids(bench, { state: "failed", queue: "a" })).toEqual(["2"]);
        expect(await ids(bench, { state: "cancelled" })).toEqual([]);
      }),
    );

    it(
      "filters by meta: every entry equal, null for a key that only has to be there",
      onBench(open, async (bench) => {
        await bench.backend.set("1", "queued", { meta: { "stem.run": "x", n: 1 } });
        await bench.backend.set("2", "queued", { meta: { "stem.run": "x", n: "1" } });
        await bench.backend.set("3", "queued", { meta: { stem: { run: "x" }, n: null } });
        await bench.backend.set("4", "queued", { meta: { list: [1, { a: true }], n: true } });
        await bench.backend.set("5", "queued", { meta: { 'quo"te$[0]': "y", n: false } });
        expect(await ids(bench, { meta: { "stem.run": "x" } })).toEqual(["1", "2"]);
        expect(await ids(bench, { meta: { "stem.run": "x", n: 1 } })).toEqual(["1"]);
        expect(await ids(bench, { meta: { n: "1" } })).toEqual(["2"]);
        expect(await ids(bench, { meta: { n: null } })).toEqual(["1", "2", "3", "4", "5"]);
        expect(await ids(bench, { meta: { n: true } })).toEqual(["4"]);
        expect(await ids(bench, { meta: { n: false } })).toEqual(["5"]);
        expect(await ids(bench, { meta: { list: [1, { a: true }] } })).toEqual(["4"]);
        expect(await ids(bench, { meta: { list: [1] } })).toEqual([]);
        expect(await ids(bench, { meta: { stem: { run: "x" } } })).toEqual(["3"]);
        expect(await ids(bench, { meta: { 'quo"te$[0]': "y" } })).toEqual(["5"]);
        expect(await ids(bench, { meta: { missing: null } })).toEqual([]);
        expect(await ids(bench, { meta: {} })).toHaveLength(5);
      }),
    );

    it(
      "gives pages of what matches, with nextOffset exactly while more follow",
      onBench(open, async (bench) => {
        for (let index = 0; index < 10; index += 1) {
          await bench.backend.set(`t-${index}`, index % 2 === 0 ? "running" : "queued");
        }
        const page = async (limit: number, offset: number): Promise<readonly unknown[]> => {
          const { items, nextOffset } = await bench.backend.listTaskStatuses({ state: "running", limit, offset });
          return [items.map(({ status }) => status.id).join(), nextOffset];
        };
        expect(await page(2, 0)).toEqual(["t-0,t-2", 2]);
        expect(await page(2, 2)).toEqual(["t-4,t-6", 4]);
        expect(await page(2, 4)).toEqual(["t-8", undefined]);
        expect(await page(5, 0)).toEqual(["t-0,t-2,t-4,t-6,t-8", undefined]);
        expect(await page(4, 0)).toEqual(["t-0,t-2,t-4,t-6", 4]);
        expect(await page(3, 50)).toEqual(["", undefined]);
        expect(await ids(bench, { limit: 0 })).toEqual([]);
      }),
    );

    it(
      "gives 50 when no limit is named, and knows of more",
      onBench(open, async (bench) => {
        for (let index = 0; index < 51; index += 1) await bench.backend.set(`t-${index}`, "queued");
        const page = await bench.backend.listTaskStatuses();
        expect([page.items.length, page.nextOffset]).toEqual([50, 50]);
      }),
    );

    it(
      "refuses filters and pages that are none",
      onBench(open, async ({ backend }) => {
        const bad = [{ limit: -1 }, { limit: 1.5 }, { limit: 10_001 }, { offset: -1 }, { state: "done" }];
        for (const request of bad) {
          await expectError(() => backend.listTaskStatuses(request as never), "STEM_INVALID_OPTION");
        }
      }),
    );
  });
}
