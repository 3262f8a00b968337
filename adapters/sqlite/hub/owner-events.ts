import type { OwnerEvents, SubscriptionRef } from "../operations/operation.ts";
import type { Consumers } from "./consumers.ts";
import type { Members } from "./members.ts";
import type { Outbox } from "./outbox.ts";
import type { Watchers } from "./watchers.ts";

/** What an owner keeps in memory. */
export interface OwnerTables {
  readonly consumers: Consumers;
  readonly watchers: Watchers;
  readonly outbox: Outbox;
  readonly members: Members;
}

/** What operations may tell the owner, carried out on its tables. */
export function createOwnerEvents(tables: OwnerTables): OwnerEvents {
  const { consumers, watchers, outbox, members } = tables;
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
    addConsumer: (ref, session, settings) => consumers.add(ref, session, settings),
    removeConsumer: (ref) => consumers.remove(ref),
    inheritedBy: (session, subscription) => members.inheritedBy(session, subscription),
    adopt: (ref, lease) => consumers.adopt(ref, lease),
    broadcast: (namespace, channel, message) => {
      const delivery = { seq: 0, token: 0, deliveries: 1, leaseUntil: 0, leaseMs: 0, channel, ...message };
      const present = consumers.subscribersOf(namespace, channel);
      return () => pushAll(present, delivery);
    },
    watch: (ref, topic) => watchers.add(ref, topic),
    unwatch: (ref) => watchers.remove(ref),
    isWatched: (topic) => watchers.isWatched(topic),
    expectWatch: (topic) => watchers.expect(topic),
    signal: (topic, event) => pushAll(watchers.of(topic), event),
  };
}
