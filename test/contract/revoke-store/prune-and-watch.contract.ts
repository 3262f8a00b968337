import { describe, expect, it } from "vitest";
import { collect } from "../../support/collect.ts";
import { expectError, track } from "../support.ts";
import { aRevocation, onBench, type OpenRevokeStoreFixture } from "./revoke-store-bench.ts";

/** Deleting what has expired. */
export function describePrune(open: OpenRevokeStoreFixture): void {
  describe("pruneExpired", () => {
    it(
      "deletes what has expired at the given time, in one namespace, and says how many",
      onBench(open, async ({ store }) => {
        const until = (ms: number) => ({ expiresAt: new Date(ms) });
        await store.upsertAll([
          aRevocation("before", until(999)),
          aRevocation("at", until(1_000)),
          aRevocation("after", until(1_001)),
          aRevocation("never"),
          aRevocation("elsewhere", { namespace: "other", ...until(1) }),
        ]);
        expect(await store.pruneExpired("stem", new Date(1_000))).toBe(2);
        expect(await store.pruneExpired("stem", new Date(1_000))).toBe(0);
        expect((await store.list("stem")).map(({ taskId }) => taskId).sort()).toEqual(["after", "never"]);
        expect(await store.list("other")).toHaveLength(1);
      }),
    );

    it(
      "never deletes what has no expiry",
      onBench(open, async ({ store }) => {
        await store.upsertAll([aRevocation("never")]);
        expect(await store.pruneExpired("stem", new Date(8.64e15))).toBe(0);
      }),
    );

    it(
      "lets a lower version come again",
      onBench(open, async ({ store }) => {
        await store.upsertAll([aRevocation("t", { version: 9, expiresAt: new Date(1) })]);
        await store.pruneExpired("stem", new Date(1));
        const lower = aRevocation("t", { version: 2 });
        expect(await store.upsertAll([lower])).toEqual([lower]);
      }),
    );

    it(
      "refuses what is no date",
      onBench(open, async ({ store }) => {
        await expectError(() => store.pruneExpired("stem", new Date(Number.NaN)), "STEM_INVALID_OPTION");
      }),
    );
  });
}

/** Entries as they are stored, and the end of a handle. */
export function describeRevokeWatch(open: OpenRevokeStoreFixture): void {
  describe("watch", () => {
    it(
      "gives the entries stored from now on, in order, of its namespace",
      onBench(open, async (bench) => {
        await bench.store.upsertAll([aRevocation("earlier", { version: 5 })]);
        const entries = collect(bench.store.watch("stem"), 3);
        await bench.settle();
        await bench.store.upsertAll([
          aRevocation("a"),
          aRevocation("earlier", { version: 4 }),
          aRevocation("x", { namespace: "other" }),
        ]);
        await bench.store.upsertAll([aRevocation("b"), aRevocation("earlier", { version: 6 })]);
        const seen = await bench.arrival(entries, "three entries");
        expect(seen.map(({ taskId, version }) => `${taskId}:${version}`)).toEqual(["a:1", "b:1", "earlier:6"]);
      }),
    );

    it(
      "sees what another handle stores, and each watcher sees all",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const watches = [collect(bench.store.watch("stem"), 1), collect(other.watch("stem"), 1)];
        await bench.settle();
        const entry = aRevocation("t", { terminate: true, reason: "r" });
        await other.upsertAll([entry]);
        expect(await bench.arrival(Promise.all(watches), "the entry")).toEqual([[entry], [entry]]);
      }),
    );

    it(
      "says nothing of entries that were not stored",
      onBench(open, async (bench) => {
        await bench.store.upsertAll([aRevocation("t", { version: 5 })]);
        const next = track(bench.store.watch("stem").next());
        await bench.settle();
        await bench.store.upsertAll([aRevocation("t", { version: 5 })]);
        await bench.store.pruneExpired("stem", new Date(9_999));
        await bench.settle();
        expect(next.isPending).toBe(true);
      }),
    );

    it(
      "ends by return(), and when the store closes",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const [left, closed] = [bench.store.watch("stem"), other.watch("stem")];
        const waiting = [left.next(), closed.next()];
        await bench.settle();
        await left.return?.();
        await other.close();
        const results = await bench.arrival(Promise.all(waiting), "the end of both watches");
        expect(results.map(({ done }) => done)).toEqual([true, true]);
      }),
    );
  });

  describe("close", () => {
    it(
      "refuses every later call, may be repeated, and leaves other handles alone",
      onBench(open, async (bench) => {
        const store = await bench.open();
        await Promise.all([store.close(), store.close()]);
        await store[Symbol.asyncDispose]();
        const calls = [
          () => store.upsertAll([aRevocation("t")]),
          () => store.get("stem", "t"),
          () => store.list("stem"),
          async () => store.watch("stem").next(),
          () => store.pruneExpired("stem", new Date(0)),
        ];
        for (const call of calls) await expectError(call, "STEM_CLOSED");
        expect(await bench.store.list("stem")).toEqual([]);
      }),
    );
  });
}
