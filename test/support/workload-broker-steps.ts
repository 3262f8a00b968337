import type { StoredDelivery } from "../../adapters/sqlite/operations/operation.ts";
import type { StoredMessage } from "../../adapters/sqlite/operations/stored-message.ts";
import { buildEnvelope, copyEnvelope, decodeEnvelope, encodeEnvelope } from "../../src/core/envelope.ts";
import { LeaseLostError } from "../../src/errors.ts";
import type { HeldDelivery } from "./workload-model.ts";
import { NAMESPACES, QUEUES, type WorkloadScope, type WorkloadStep } from "./workload-step.ts";

const LEASE_MS = 30_000;
const LONG_PAYLOAD = 9_000;

/** Everything a broker is asked to do. */
export const BROKER_STEPS: readonly WorkloadStep[] = [
  { name: "publish", weight: 8, run: publish },
  { name: "publishAll", weight: 3, run: publishAll },
  { name: "ack", weight: 8, run: ack },
  { name: "requeue", weight: 2, run: requeue },
  { name: "giveBack", weight: 1, run: giveBack },
  { name: "retry", weight: 3, run: retry },
  { name: "deadLetter", weight: 3, run: deadLetter },
  { name: "extendLease", weight: 2, run: extendLease },
  { name: "replay", weight: 1, alone: true, run: replay },
  { name: "purge", weight: 0.3, alone: true, run: purge },
  { name: "purgeDeadLetters", weight: 0.3, alone: true, run: purgeDeadLetters },
  { name: "sweepDeadLetters", weight: 0.5, alone: true, run: sweepDeadLetters },
  { name: "cancel", weight: 0.7, alone: true, run: cancel },
  { name: "consume", weight: 1.2, alone: true, run: consume },
  { name: "wait", weight: 2, alone: true, run: wait },
];

async function publish(workload: WorkloadScope): Promise<void> {
  const namespace = workload.session.pick(NAMESPACES);
  const message = newMessage(workload);
  workload.expect(await workload.session.call("publish", { namespace, message }), "stored");
  workload.model.published({ ...message, namespace });
}

async function publishAll(workload: WorkloadScope): Promise<void> {
  const { session } = workload;
  const namespace = session.pick(NAMESPACES);
  const messages = Array.from({ length: session.integer(1, 10) }, () => newMessage(workload));
  await session.call("publishAll", { namespace, messages, replacePending: false });
  for (const message of messages) workload.model.published({ ...message, namespace });
}

async function ack(workload: WorkloadScope): Promise<void> {
  await settle(workload, async (delivery) => {
    await workload.session.call("ack", delivery);
    workload.model.ended(delivery.namespace, delivery.id);
  });
}

async function requeue(workload: WorkloadScope): Promise<void> {
  const countsAsDelivery = workload.session.chance(0.5);
  await settle(workload, (delivery) =>
    workload.session.call("requeue", { delivery, countsAsDelivery, maxDeliveries: 5 }),
  );
}

async function giveBack(workload: WorkloadScope): Promise<void> {
  const deliveries = workload.model.held.splice(0, workload.session.integer(1, 3));
  await workload.session.call("giveBack", deliveries);
}

async function retry(workload: WorkloadScope): Promise<void> {
  await settle(workload, async (delivery) => {
    const { session } = workload;
    const envelope = decodeEnvelope(delivery.envelope);
    const notBefore = session.chance(0.5) ? null : new Date(session.clock.now() + session.integer(1, 20_000));
    const next = copyEnvelope(envelope, { attempt: envelope.attempt + 1, notBefore });
    await session.call("retry", { delivery, next: toMessage(next) });
  });
}

async function deadLetter(workload: WorkloadScope): Promise<void> {
  await settle(workload, (delivery) =>
    workload.session.call("deadLetter", { delivery, reason: "control", meta: `{"token":${delivery.token}}` }),
  );
}

async function extendLease(workload: WorkloadScope): Promise<void> {
  const [delivery] = workload.model.held;
  if (delivery === undefined) return;
  await lostLeaseIsFine(workload.session.call("extendLease", { delivery, by: workload.session.integer(1, 60_000) }));
}

async function replay(workload: WorkloadScope): Promise<void> {
  const { session } = workload;
  const place = { namespace: session.pick(NAMESPACES), queue: session.pick(QUEUES), since: 0 };
  const args = { ...place, limit: session.integer(1, 5), delay: null, resetAttempts: false };
  const found = await session.call("replay", { ...args, dryRun: true });
  const moved = await session.call("replay", { ...args, dryRun: false });
  workload.expect(moved.length, found.length);
}

async function purge(workload: WorkloadScope): Promise<void> {
  const place = { namespace: workload.session.pick(NAMESPACES), queue: workload.session.pick(QUEUES) };
  const purged = await workload.session.call("purge", place);
  workload.expect(workload.model.forgetMissing(workload.content, place.namespace, place.queue), purged);
}

async function purgeDeadLetters(workload: WorkloadScope): Promise<void> {
  const { session } = workload;
  const place = { namespace: session.pick(NAMESPACES), queue: session.pick(QUEUES) };
  const purged = await session.call("purgeDeadLetters", { ...place, since: 0, limit: 2 });
  workload.expect(workload.model.forgetMissing(workload.content, place.namespace, place.queue), purged);
}

async function sweepDeadLetters(workload: WorkloadScope): Promise<void> {
  const { session } = workload;
  const namespace = session.pick(NAMESPACES);
  const swept = await session.call("sweepDeadLetters", { namespace, retention: 60_000 });
  workload.expect(workload.model.forgetMissing(workload.content, namespace), swept);
}

async function cancel(workload: WorkloadScope): Promise<void> {
  const [subscription] = workload.subscriptions;
  if (subscription === undefined) return;
  workload.subscriptions.delete(subscription);
  const { held } = workload.model;
  const unseen = held.filter((delivery) => delivery.subscription === subscription).slice(0, 2);
  for (const delivery of unseen) held.splice(held.indexOf(delivery), 1);
  await workload.session.call("cancel", { subscription, unseen });
  workload.session.client.unlisten(subscription);
}

async function consume(workload: WorkloadScope): Promise<void> {
  const { session } = workload;
  if (workload.subscriptions.size >= 3) return;
  const namespace = session.pick(NAMESPACES);
  const subscription = session.client.listen((events) => {
    for (const { seq, token, envelope } of events as StoredDelivery[]) {
      const { id, queue } = decodeEnvelope(envelope);
      workload.model.held.push({ seq, token, id, queue, namespace, envelope, subscription });
    }
  });
  workload.subscriptions.add(subscription);
  await session.call("consume", {
    subscription,
    namespace,
    queues: session.chance(0.5) ? QUEUES : [session.pick(QUEUES)],
    channels: [],
    prefetch: session.integer(1, 6),
    consumerName: `consumer-${subscription}`,
    defaultVisibilityTimeout: LEASE_MS,
    maxDeliveries: session.integer(2, 20),
    pollInterval: 1_000,
  });
}

/** Delayed messages fall due, leases end, and both are delivered anew. */
async function wait(workload: WorkloadScope): Promise<void> {
  await workload.session.clock.advance(workload.session.integer(1, 15_000));
}

/** Takes a delivery that is held, if any, and settles it; that its lease has run out is fine. */
export async function settle(workload: WorkloadScope, work: (delivery: HeldDelivery) => Promise<void>): Promise<void> {
  const { held } = workload.model;
  const delivery = held[workload.session.integer(0, held.length - 1)];
  if (delivery === undefined) return;
  held.splice(held.indexOf(delivery), 1);
  await lostLeaseIsFine(work(delivery));
}

/** The workload lets leases run out. */
async function lostLeaseIsFine(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
  }
}

/** A message that was not published before. */
export function newMessage(workload: WorkloadScope): StoredMessage {
  const { session } = workload;
  const id = workload.nextId();
  const length = session.chance(0.05) ? LONG_PAYLOAD : session.integer(0, 300);
  const now = session.clock.now();
  const init = {
    id,
    name: "control",
    queue: session.pick(QUEUES),
    priority: session.integer(0, 9),
    args: { text: "x".repeat(length) },
    ...(session.chance(0.2) ? { notBefore: new Date(now + session.integer(1, 30_000)) } : {}),
    ...(session.chance(0.2) ? { visibilityTimeout: session.integer(1_000, 60_000) } : {}),
  };
  return toMessage(buildEnvelope(init, id, now));
}

/** An envelope as a member sends it. */
export function toMessage(envelope: ReturnType<typeof buildEnvelope>): StoredMessage {
  const { id, queue, priority, notBefore, visibilityTimeout } = envelope;
  return {
    id,
    queue,
    priority,
    notBefore: notBefore?.getTime() ?? 0,
    visibilityTimeout: visibilityTimeout ?? null,
    envelope: encodeEnvelope(envelope),
  };
}
