import { describe, expect, it } from "vitest";
import { InMemoryResultBackend, inMemoryResultStore } from "../../../adapters/memory/index.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { describeResultBackendContract } from "../../contract/result-backend/index.ts";
import { openInMemoryResultBackends } from "./open-in-memory.ts";

describeResultBackendContract("InMemoryResultBackend", openInMemoryResultBackends);

describe("InMemoryResultBackend", () => {
  it("keeps the newest token when a write outside of any delivery comes between", async () => {
    const backend = new InMemoryResultBackend({ clock: new FakeClock() });
    await backend.set("t", "running", { fence: 5 });
    await backend.set("t", "retried");
    expect(await backend.set("t", "running", { fence: 4 })).toBe(false);
    await backend.close();
  });

  it("compares meta by value, whatever the order of its keys", async () => {
    const backend = new InMemoryResultBackend({ clock: new FakeClock() });
    await backend.set("t", "running", { meta: { pair: { a: 1, b: [2] } } });
    const found = await backend.listTaskStatuses({ meta: { pair: { b: [2], a: 1 } } });
    expect(found.items).toHaveLength(1);
    await backend.close();
  });

  it("removes what has expired at each cleanup, and on demand", async () => {
    const clock = new FakeClock();
    const store = inMemoryResultStore();
    const backend = new InMemoryResultBackend({ clock, store, cleanupInterval: 500, defaultTtl: 100 });
    // What is left in the store is internal, so the types do not tell of it.
    const inside = store as unknown as { namespace(name: string): { statuses: ReadonlyMap<string, unknown> } };
    const rows = inside.namespace("stem").statuses;
    await backend.set("t", "running");
    await clock.advance(500);
    expect(rows.size).toBe(0);
    await backend.set("t", "running");
    await clock.advance(100);
    await backend.runMaintenance();
    expect(rows.size).toBe(0);
    await backend.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
