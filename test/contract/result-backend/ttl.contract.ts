import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { GROUP_TTL, HEARTBEAT_TTL, onBench, type OpenResultBackendFixture, TTL } from "./result-backend-bench.ts";

/** Everything expires by the clock, for every read, swept or not. */
export function describeTtl(open: OpenResultBackendFixture): void {
  describe("time to live", () => {
    it(
      "is defaultTtl, and ends with its last millisecond",
      onBench(open, async ({ backend, clock }) => {
        await backend.set("t", "succeeded");
        await clock.advance(TTL - 1);
        expect((await backend.get("t"))?.state).toBe("succeeded");
        await clock.advance(1);
        expect(await backend.get("t")).toBeNull();
        expect(await backend.listTaskStatuses()).toEqual({ items: [] });
      }),
    );

    it(
      "is what the write asks for",
      onBench(open, async ({ backend, clock }) => {
        await backend.set("short", "succeeded", { ttl: 100 });
        await backend.set("long", "succeeded", { ttl: 3 * TTL });
        await clock.advance(100);
        expect(await backend.get("short")).toBeNull();
        await clock.advance(3 * TTL - 101);
        expect(await backend.get("long")).not.toBeNull();
        await clock.advance(1);
        expect(await backend.get("long")).toBeNull();
      }),
    );

    it(
      "begins anew with each write",
      onBench(open, async ({ backend, clock }) => {
        await backend.set("t", "running");
        await clock.advance(TTL - 1);
        await backend.set("t", "succeeded");
        await clock.advance(TTL - 1);
        expect((await backend.get("t"))?.state).toBe("succeeded");
      }),
    );

    it(
      "ends, after expire, the given time from now, sooner or later",
      onBench(open, async ({ backend, clock }) => {
        await backend.set("sooner", "succeeded");
        await backend.set("later", "succeeded");
        await backend.set("now", "succeeded");
        await clock.advance(1_000);
        await backend.expire("sooner", 500);
        await backend.expire("later", 2 * TTL);
        await backend.expire("now", 0);
        expect(await backend.get("now")).toBeNull();
        await clock.advance(500);
        expect(await backend.get("sooner")).toBeNull();
        await clock.advance(2 * TTL - 501);
        expect(await backend.get("later")).not.toBeNull();
        await clock.advance(1);
        expect(await backend.get("later")).toBeNull();
      }),
    );

    it(
      "is not given to what is unknown or has expired",
      onBench(open, async ({ backend, clock }) => {
        await backend.expire("unknown", 1_000);
        expect(await backend.get("unknown")).toBeNull();
        await backend.set("t", "succeeded");
        await clock.advance(TTL);
        await backend.expire("t", TTL);
        expect(await backend.get("t")).toBeNull();
        await expectError(() => backend.expire("t", -1), "STEM_INVALID_OPTION");
      }),
    );

    it(
      "is kept when nothing sweeps and when something does",
      onBench(
        open,
        async ({ backend, clock }) => {
          await backend.set("t", "succeeded");
          await backend.set("kept", "succeeded", { ttl: 10 * TTL });
          await backend.initGroup({ id: "g", expected: 1 });
          await clock.advance(GROUP_TTL + 1_000);
          expect([await backend.get("t"), await backend.getGroup("g")]).toEqual([null, null]);
          expect((await backend.get("kept"))?.state).toBe("succeeded");
        },
        { cleanupInterval: 700 },
      ),
    );
  });

  describe("time to live of groups and heartbeats", () => {
    it(
      "is groupDefaultTtl or the group's own",
      onBench(open, async ({ backend, clock }) => {
        await backend.initGroup({ id: "default", expected: 1 });
        await backend.initGroup({ id: "own", expected: 1, ttl: 500 });
        await clock.advance(499);
        expect(await backend.getGroup("own")).not.toBeNull();
        await clock.advance(1);
        expect(await backend.getGroup("own")).toBeNull();
        await clock.advance(GROUP_TTL - 501);
        expect(await backend.getGroup("default")).not.toBeNull();
        await clock.advance(1);
        expect(await backend.getGroup("default")).toBeNull();
      }),
    );

    it(
      "is heartbeatTtl from when the heartbeat was written",
      onBench(open, async ({ backend, clock }) => {
        const heartbeat = { workerId: "w", namespace: "stem", isolateCount: 1, inflight: 0, queues: [], version: "1" };
        await backend.setWorkerHeartbeat({ ...heartbeat, timestamp: new Date(0), extras: {} });
        await clock.advance(HEARTBEAT_TTL - 1);
        expect(await backend.listWorkerHeartbeats()).toHaveLength(1);
        await clock.advance(1);
        expect(await backend.listWorkerHeartbeats()).toEqual([]);
        expect(await backend.getWorkerHeartbeat("w")).toBeNull();
      }),
    );
  });
}
