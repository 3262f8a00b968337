import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { aRevocation, onBench, type OpenRevokeStoreFixture } from "./revoke-store-bench.ts";

/** Storing and reading revocations: the greatest version stands. */
export function describeUpsert(open: OpenRevokeStoreFixture): void {
  describe("upsertAll, get and list", () => {
    it(
      "give back every field, and leave out what was not given",
      onBench(open, async ({ store }) => {
        const full = aRevocation("full", {
          version: 1_790_000_000_000_123,
          issuedAt: new Date("2026-01-01T00:00:00.123Z"),
          terminate: true,
          reason: "böse",
          requestedBy: "ops",
          expiresAt: new Date("2026-01-02T00:00:00.456Z"),
        });
        const small = aRevocation("__stem.queue.pause__:mail");
        expect(await store.upsertAll([full, small])).toEqual([full, small]);
        expect(await store.get("stem", "full")).toStrictEqual(full);
        expect(await store.get("stem", small.taskId)).toStrictEqual(small);
        expect(await store.get("stem", "unknown")).toBeNull();
      }),
    );

    it(
      "list a namespace by ascending version, expired entries too",
      onBench(open, async ({ store }) => {
        const entries = [
          aRevocation("b", { version: 3 }),
          aRevocation("a", { version: 7 }),
          aRevocation("c", { version: 5, expiresAt: new Date(0) }),
        ];
        await store.upsertAll([...entries, aRevocation("z", { namespace: "other" })]);
        expect((await store.list("stem")).map(({ taskId }) => taskId)).toEqual(["b", "c", "a"]);
        expect((await store.list("other")).map(({ taskId }) => taskId)).toEqual(["z"]);
        expect(await store.list("unknown")).toEqual([]);
      }),
    );

    it(
      "keep one task id in two namespaces apart",
      onBench(open, async ({ store }) => {
        const entries = [aRevocation("t", { version: 5 }), aRevocation("t", { version: 2, namespace: "other" })];
        expect(await store.upsertAll(entries)).toEqual(entries);
        expect((await store.get("other", "t"))?.version).toBe(2);
      }),
    );

    it(
      "share no object with the caller",
      onBench(open, async ({ store }) => {
        const issuedAt = new Date(5_000);
        await store.upsertAll([aRevocation("t", { issuedAt })]);
        issuedAt.setTime(0);
        const read = await store.get("stem", "t");
        expect(read?.issuedAt).toEqual(new Date(5_000));
        read?.issuedAt.setTime(1);
        expect((await store.get("stem", "t"))?.issuedAt).toEqual(new Date(5_000));
      }),
    );

    it(
      "take nothing for an answer",
      onBench(open, async ({ store }) => {
        expect(await store.upsertAll([])).toEqual([]);
      }),
    );

    it(
      "survive a new opening",
      onBench(open, async (bench) => {
        const entry = aRevocation("t", { version: 9, reason: "kept" });
        await bench.store.upsertAll([entry]);
        await bench.reopen();
        expect(await bench.store.list("stem")).toEqual([entry]);
      }),
    );
  });

  describe("versions", () => {
    it(
      "let only a greater one replace, and answer with what is stored",
      onBench(open, async ({ store }) => {
        const stored = aRevocation("t", { version: 5, reason: "first" });
        await store.upsertAll([stored]);
        expect(await store.upsertAll([aRevocation("t", { version: 4, reason: "older" })])).toEqual([stored]);
        expect(await store.upsertAll([aRevocation("t", { version: 5, reason: "equal" })])).toEqual([stored]);
        const newer = aRevocation("t", { version: 6, terminate: true });
        expect(await store.upsertAll([newer])).toEqual([newer]);
        expect(await store.list("stem")).toStrictEqual([newer]);
      }),
    );

    it(
      "hold within one call: every answer is what is stored after it",
      onBench(open, async ({ store }) => {
        const [low, high] = [aRevocation("t", { version: 1 }), aRevocation("t", { version: 2 })];
        expect(await store.upsertAll([low, high, low])).toEqual([high, high, high]);
      }),
    );

    it(
      "hold over several handles at once",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const upserts = Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? bench.store : other).upsertAll([aRevocation("t", { version: ((index * 7) % 20) + 1 })]),
        );
        await Promise.all(upserts);
        expect((await other.get("stem", "t"))?.version).toBe(20);
      }),
    );
  });

  describe("upsertAll, when it refuses", () => {
    it(
      "stores none when one is not valid",
      onBench(open, async ({ store }) => {
        const bad = [
          [{ taskId: "a b" }, "STEM_INVALID_NAME"],
          [{ namespace: "a b" }, "STEM_INVALID_NAME"],
          [{ version: 1.5 }, "STEM_INVALID_OPTION"],
          [{ version: Number.NaN }, "STEM_INVALID_OPTION"],
          [{ issuedAt: new Date(Number.NaN) }, "STEM_INVALID_OPTION"],
          [{ expiresAt: new Date(Number.NaN) }, "STEM_INVALID_OPTION"],
          [{ terminate: 1 as never }, "STEM_INVALID_OPTION"],
        ] as const;
        for (const [change, code] of bad) {
          await expectError(() => store.upsertAll([aRevocation("good"), aRevocation("bad", change)]), code);
        }
        expect(await store.list("stem")).toEqual([]);
      }),
    );
  });
}
