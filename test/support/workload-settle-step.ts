import type { StoredDeliveryEnd } from "../../adapters/sqlite/operations/settle-task.ts";
import { copyEnvelope, decodeEnvelope } from "../../src/core/envelope.ts";
import { newMessage, settle, toMessage } from "./workload-broker-steps.ts";
import type { HeldDelivery } from "./workload-model.ts";
import { NAMESPACES, type WorkloadScope, type WorkloadStep } from "./workload-step.ts";

/** The end of a task: delivery, status, group result and what follows it, in one operation. */
export const SETTLE_STEP: WorkloadStep = { name: "settleTask", weight: 5, run: settleTask };

async function settleTask(scope: WorkloadScope): Promise<void> {
  await settle(scope, async (delivery) => {
    const { session, model } = scope;
    const end = endOf(scope, delivery);
    const publish = Array.from({ length: session.integer(0, 2) }, () => newMessage(scope));
    const namespace = session.pick(NAMESPACES);
    await session.call("settleTask", {
      delivery,
      end,
      backendNamespace: namespace,
      status: {
        id: delivery.id,
        state: end.kind === "ack" ? "succeeded" : end.kind === "retry" ? "retried" : "failed",
        attempt: 0,
        payload: JSON.stringify("p".repeat(session.integer(0, 200))),
        error: null,
        meta: "{}",
        fence: delivery.token,
        queue: delivery.queue,
        ttl: session.integer(1_000, 60_000),
      },
      groupId: session.chance(0.3) ? `group-${session.integer(0, 3)}` : null,
      brokerNamespace: namespace,
      publish,
      queued: [],
    });
    if (end.kind === "ack") model.ended(delivery.namespace, delivery.id);
    for (const message of publish) model.published({ ...message, namespace });
  });
}

function endOf({ session }: WorkloadScope, { envelope }: HeldDelivery): StoredDeliveryEnd {
  const choice = session.random();
  if (choice < 0.6) return { kind: "ack" };
  if (choice < 0.8) return { kind: "dead-letter", reason: "control", meta: "{}" };
  const delivered = decodeEnvelope(envelope);
  return { kind: "retry", next: toMessage(copyEnvelope(delivered, { attempt: delivered.attempt + 1 })) };
}
