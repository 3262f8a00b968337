import { describe, expect, it } from "vitest";
import type { WorkerHeartbeat } from "../../../src/contracts/result-backend.ts";
import { expectError } from "../support.ts";
import { onBench, type OpenResultBackendFixture } from "./result-backend-bench.ts";

function aHeartbeat(workerId: string, change: Partial<WorkerHeartbeat> = {}): WorkerHeartbeat {
  return {
    workerId,
    namespace: "stem",
    timestamp: new Date("2026-01-01T00:00:00.123Z"),
    isolateCount: 4,
    inflight: 2,
    queues: [
      { name: "a", inflight: 2 },
      { name: "b", inflight: 0 },
    ],
    lastLeaseRenewal: new Date("2025-12-31T23:59:59.999Z"),
    version: "1",
    extras: { host: "h", loadAvg: [0.5], "a.b": null },
    ...change,
  };
}

/** Heartbeats of workers, one each. */
export function describeHeartbeats(open: OpenResultBackendFixture): void {
  describe("heartbeats", () => {
    it(
      "come back as they were given",
      onBench(open, async ({ backend }) => {
        await backend.setWorkerHeartbeat(aHeartbeat("w"));
        expect(await backend.getWorkerHeartbeat("w")).toEqual(aHeartbeat("w"));
        const facts = { workerId: "v", namespace: "n", timestamp: new Date(0), isolateCount: 0, inflight: 0 };
        const small: WorkerHeartbeat = { ...facts, queues: [], version: "2", extras: {} };
        await backend.setWorkerHeartbeat(small);
        expect(await backend.getWorkerHeartbeat("v")).toStrictEqual(small);
        expect(await backend.getWorkerHeartbeat("unknown")).toBeNull();
      }),
    );

    it(
      "keep their own namespace, whatever that of the backend",
      onBench(open, async (bench) => {
        await bench.backend.setWorkerHeartbeat(aHeartbeat("w", { namespace: "elsewhere" }));
        expect((await bench.backend.getWorkerHeartbeat("w"))?.namespace).toBe("elsewhere");
        const other = await bench.open({ namespace: "elsewhere" });
        expect(await other.listWorkerHeartbeats()).toEqual([]);
      }),
    );

    it(
      "are one per worker, the latest, listed by worker id",
      onBench(open, async ({ backend }) => {
        for (const id of ["c", "a", "b"]) await backend.setWorkerHeartbeat(aHeartbeat(id));
        await backend.setWorkerHeartbeat(aHeartbeat("c", { inflight: 9, queues: [] }));
        const listed = await backend.listWorkerHeartbeats();
        expect(listed.map(({ workerId, inflight }) => `${workerId}:${inflight}`)).toEqual(["a:2", "b:2", "c:9"]);
      }),
    );

    it(
      "go when their worker removes them",
      onBench(open, async ({ backend }) => {
        await backend.setWorkerHeartbeat(aHeartbeat("a"));
        await backend.setWorkerHeartbeat(aHeartbeat("b"));
        await backend.removeWorkerHeartbeat("a");
        await backend.removeWorkerHeartbeat("a");
        expect((await backend.listWorkerHeartbeats()).map(({ workerId }) => workerId)).toEqual(["b"]);
      }),
    );

    it(
      "refuse what is none",
      onBench(open, async ({ backend }) => {
        const write = (change: object) => () => backend.setWorkerHeartbeat(aHeartbeat("w", change));
        await expectError(write({ workerId: "" }), "STEM_INVALID_NAME");
        await expectError(write({ timestamp: new Date(Number.NaN) }), "STEM_INVALID_OPTION");
        await expectError(write({ inflight: -1 }), "STEM_INVALID_OPTION");
        await expectError(write({ extras: { f: new Set() } }), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        expect(await backend.listWorkerHeartbeats()).toEqual([]);
      }),
    );
  });
}

/** The end of a handle. */
export function describeBackendClose(open: OpenResultBackendFixture): void {
  describe("close", () => {
    it(
      "refuses every later call, and leaves other handles alone",
      onBench(open, async (bench) => {
        const backend = await bench.open();
        await backend.close();
        const calls = [
          () => backend.set("t", "running"),
          () => backend.get("t"),
          async () => backend.watch("t").next(),
          () => backend.listTaskStatuses(),
          () => backend.expire("t", 1),
          () => backend.setWorkerHeartbeat(aHeartbeat("w")),
          () => backend.getWorkerHeartbeat("w"),
          () => backend.listWorkerHeartbeats(),
          () => backend.removeWorkerHeartbeat("w"),
          () => backend.initGroup({ id: "g", expected: 1 }),
          () => backend.addGroupResult("g", { id: "t", state: "failed", attempt: 0, meta: {} }),
          () => backend.getGroup("g"),
          () => backend.claimChord("g"),
        ];
        for (const call of calls) await expectError(call, "STEM_CLOSED");
        expect(await bench.backend.get("t")).toBeNull();
      }),
    );

    it(
      "may be called again, and at once",
      onBench(open, async (bench) => {
        const backend = await bench.open();
        await Promise.all([backend.close(), backend.close()]);
        await backend[Symbol.asyncDispose]();
        expect(await bench.backend.set("t", "running")).toBe(true);
      }),
    );
  });
}
