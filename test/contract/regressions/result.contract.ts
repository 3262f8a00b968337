import { describe, expect, it } from "vitest";
import type { WorkerHeartbeat } from "../../../src/contracts/result-backend.ts";
import { collect } from "../../support/collect.ts";
import type { RegressionFixtures } from "../regressions.contract.ts";
import { onBench } from "../result-backend/result-backend-bench.ts";
import { aRevocation, onBench as onRevokeBench } from "../revoke-store/revoke-store-bench.ts";

const HEARTBEAT: WorkerHeartbeat = {
  workerId: "w",
  namespace: "the-workers-own",
  timestamp: new Date(0),
  isolateCount: 1,
  inflight: 0,
  queues: [],
  version: "1",
  extras: {},
};

/** Defects in statuses, groups, heartbeats and revocations. */
export function describeResultRegressions({ resultBackends, revokeStores }: RegressionFixtures): void {
  describe("results", () => {
    it(
      "D-3: a worker whose lease was lost cannot write the result of the task",
      onBench(resultBackends, async ({ backend }) => {
        await backend.set("t", "running", { fence: 1 });
        await backend.set("t", "running", { fence: 2 });
        expect(await backend.set("t", "failed", { fence: 1 })).toBe(false);
        expect(await backend.set("t", "succeeded", { fence: 2, payload: 2 })).toBe(true);
        expect(await backend.get("t")).toMatchObject({ state: "succeeded", payload: 2 });
      }),
    );

    it(
      "D-12: one id in two namespaces is two statuses, groups and heartbeats",
      onBench(resultBackends, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        for (const [number, backend] of [bench.backend, other].entries()) {
          await backend.set("t", "running", { payload: number });
          await backend.initGroup({ id: "g", expected: number + 1 });
          await backend.setWorkerHeartbeat({ ...HEARTBEAT, inflight: number });
        }
        for (const [number, backend] of [bench.backend, other].entries()) {
          expect((await backend.get("t"))?.payload).toBe(number);
          expect((await backend.getGroup("g"))?.expected).toBe(number + 1);
          expect((await backend.listWorkerHeartbeats()).map(({ inflight }) => inflight)).toEqual([number]);
        }
      }),
    );

    it(
      "D-12: one task id in two namespaces is two revocations",
      onRevokeBench(revokeStores, async ({ store }) => {
        await store.upsertAll([aRevocation("t", { version: 9 }), aRevocation("t", { namespace: "other", version: 1 })]);
        expect([(await store.get("stem", "t"))?.version, (await store.get("other", "t"))?.version]).toEqual([9, 1]);
      }),
    );

    it(
      "D-15: the late queued of a producer does not hide what a fast worker wrote",
      onBench(resultBackends, async ({ backend }) => {
        await backend.set("fast", "succeeded", { payload: 1 });
        expect(await backend.set("fast", "queued")).toBe(false);
        await backend.set("busy", "running");
        expect(await backend.set("busy", "queued")).toBe(false);
        expect([(await backend.get("fast"))?.state, (await backend.get("busy"))?.state]).toEqual([
          "succeeded",
          "running",
        ]);
      }),
    );

    it(
      "D-16: a watch cannot miss the end between get and watch",
      onBench(resultBackends, async (bench) => {
        expect(await bench.backend.get("t")).toBeNull();
        await bench.backend.set("t", "succeeded", { payload: 1 });
        const statuses = await bench.arrival(collect(bench.backend.watch("t")), "the end of the watch");
        expect(statuses.map(({ payload }) => payload)).toEqual([1]);
      }),
    );

    it(
      "D-16: a watch sees what is written through another handle",
      onBench(resultBackends, async (bench) => {
        const worker = await bench.open();
        const statuses = collect(bench.backend.watch("t"));
        await bench.settle();
        await worker.set("t", "running");
        await worker.set("t", "failed");
        expect((await bench.arrival(statuses, "the end of the watch")).map(({ state }) => state)).toEqual([
          "running",
          "failed",
        ]);
      }),
    );

    it(
      "D-20: a chord is claimed once, also by two handles at once",
      onBench(resultBackends, async (bench) => {
        const other = await bench.open();
        await bench.backend.initGroup({ id: "g", expected: 1 });
        const answers = await Promise.all([bench.backend.claimChord("g"), other.claimChord("g")]);
        expect(answers.filter(Boolean)).toHaveLength(1);
        expect(await bench.backend.claimChord("g")).toBe(false);
      }),
    );

    it(
      "D-26: a page of statuses is filtered before it is cut, and knows whether more follow",
      onBench(resultBackends, async ({ backend }) => {
        for (let index = 0; index < 401; index += 1) {
          await backend.set(`t-${index}`, index % 2 === 0 ? "succeeded" : "failed", { meta: { queue: "q" } });
        }
        const seen: string[] = [];
        let offset: number | undefined = 0;
        while (offset !== undefined) {
          const page = await backend.listTaskStatuses({ state: "succeeded", queue: "q", limit: 67, offset });
          seen.push(...page.items.map(({ status }) => status.id));
          offset = page.nextOffset;
        }
        expect(new Set(seen).size).toBe(201);
        expect(seen).toHaveLength(201);
      }),
    );

    it(
      "D-28: the namespace of a heartbeat is the worker's, not the backend's",
      onBench(resultBackends, async ({ backend }) => {
        await backend.setWorkerHeartbeat(HEARTBEAT);
        expect(await backend.getWorkerHeartbeat("w")).toEqual(HEARTBEAT);
      }),
    );
  });
}
