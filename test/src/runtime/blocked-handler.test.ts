import { describe, expect, it } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { InMemoryBroker } from "../../../adapters/memory/index.ts";
import { aGate, aWorkerRig, LEASE_MS, START } from "./worker-rig.ts";

/** The next consumer takes one message and, blocked by its handler, nothing more. */
function blockNextConsumer(broker: InMemoryBroker): void {
  const consume = broker.consume.bind(broker);
  broker.consume = (...args) => {
    broker.consume = consume;
    const consumer = consume(...args);
    const next = consumer.next.bind(consumer);
    const end = consumer.return.bind(consumer);
    const closed = aGate();
    let taken = 0;
    consumer.next = async () => {
      taken += 1;
      if (taken > 1) await closed.passed;
      return next();
    };
    consumer.return = () => {
      closed.open();
      return end();
    };
    return consumer;
  };
}

describe("A handler that blocks the event loop for longer than its lease", () => {
  it("loses its task to another worker, and only that one's end is accepted", async () => {
    const gates = [aGate(), aGate()];
    const task = defineTask("demo.a", async (context) => {
      await gates[context.deliveries - 1]?.passed;
      return `delivery ${context.deliveries}`;
    });
    // Nothing of a blocked worker runs: for it, time stands still.
    const blocked = aWorkerRig([task], { clock: new FakeClock(START) });
    const { worker, stem, broker, backend, clock, settle, types } = blocked;
    blockNextConsumer(broker);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    const rival = blocked.another({ clock });
    const completed: string[] = [];
    rival.on("completed", ({ envelope }) => completed.push(envelope.id));
    await rival.start();
    await clock.advance(3 * LEASE_MS);
    gates[0]?.open();
    await settle();

    expect(types()).toEqual(["started", "lease-lost"]);
    expect(await backend.get(id)).toMatchObject({ state: "running" });
    gates[1]?.open();
    await settle();
    expect(completed).toEqual([id]);
    expect((await stem.waitForTask(id)).value).toBe("delivery 2");
    expect(await broker.pendingCount("default")).toBe(0);
    expect(types()).toEqual(["started", "lease-lost"]);
  });
});
