import type { OwnerEvents, SubscriptionRef } from "../operations/operation.ts";
import type { Consumers } from "./consumers.ts";
import type { Outbox } from "./outbox.ts";
import type { Watchers } from "./watchers.ts";

/** What operations may tell the owner, carried out on its tables. */
export function createOwnerEvents(consumers: Consumers, watchers: Watchers, outbox: Outbox): OwnerEvents {
  const pushAll = (refs: readonly SubscriptionRef[], event: unknown): void => {
    for (const ref of refs) outbox.push(ref, [event]);
  };
  return {
    queueReady: (namespace, queue) => consumers.queueReady(namespace, queue),
    dueAt: (instant) => consumers.dueAt(instant),
    settled: (token) => consumers.settled(token),
    extended: (token, instant) => consumers.extended(token, instant),
    acked: (token) => consumers.acked(token),
    wasAcked: (token) => consumers.wasAcked(token),
    addConsumer: (ref, settings) => consumers.add(ref, settings),
    removeConsumer: (ref) => consumers.remove(ref),
    broadcast: (namespace, channel, envelope) => {
      const message = { seq: 0, token: 0, deliveries: 1, leaseUntil: 0, leaseMs: 0, channel, envelope };
      pushAll(consumers.subscribersOf(namespace, channel), message);
    },
    watch: (ref, topic) => watchers.add(ref, topic),
    unwatch: (ref) => watchers.remove(ref),
    signal: (topic, event) => pushAll(watchers.of(topic), event),
  };
}
