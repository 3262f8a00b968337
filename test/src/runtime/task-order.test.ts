import { expect, it, onTestFinished } from "vitest";
import { InMemoryBroker } from "../../../adapters/memory/index.ts";
import type { Delivery } from "../../../src/contracts/broker.ts";
import type { Envelope } from "../../../src/core/envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { aGate, aWorkerRig } from "./worker-rig.ts";

/** A broker whose retries take effect at once and are told of late, as when a reply crosses with a delivery. */
class SlowlyTellingBroker extends InMemoryBroker {
  readonly told = aGate();

  override async retry(delivery: Delivery, next: Envelope): Promise<void> {
    await super.retry(delivery, next);
    await this.told.passed;
  }
}

it("a task's next run starts after its last one was told of, even when it is delivered sooner", async () => {
  const broker = new SlowlyTellingBroker({ clock: new FakeClock(), sweeperInterval: 0 });
  onTestFinished(() => broker.close());
  const flaky = defineTask("demo.flaky", (context) => {
    if (context.attempt === 0) throw new Error("not yet");
  });
  const rig = aWorkerRig([flaky], { broker, retryStrategy: { nextDelay: () => 0 } });
  await rig.worker.start();
  await broker.publish(anEnvelope({ name: "demo.flaky", maxRetries: 1 }));
  await rig.settle();
  expect(await broker.inflightCount("default")).toBe(1);
  expect(rig.types()).toEqual(["started"]);

  broker.told.open();
  await rig.settle();
  expect(rig.types()).toEqual(["started", "retried", "started", "completed"]);
});
