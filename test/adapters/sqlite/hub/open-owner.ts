import { onTestFinished } from "vitest";
import { HubClient } from "../../../../adapters/sqlite/hub/hub-client.ts";
import { inlineLink } from "../../../../adapters/sqlite/hub/inline-link.ts";
import { Owner } from "../../../../adapters/sqlite/hub/owner.ts";
import { toStoredMessage } from "../../../../adapters/sqlite/operations/stored-message.ts";
import type {
  ConsumerSettings,
  StoredBurial,
  StoredDelivery,
} from "../../../../adapters/sqlite/operations/operation.ts";
import type { DeliveryRef } from "../../../../adapters/sqlite/operations/settle.ts";
import { nodeEngineHost } from "../../../../adapters/entry/node-platform.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import type { SqlEngine } from "../../../../src/contracts/sql-engine.ts";
import type { StorageDriver, StorageLease } from "../../../../src/contracts/storage-driver.ts";
import type { EnvelopeInit } from "../../../../src/core/envelope.ts";
import { FakeClock, RecordingLogger, createSeededRandomness } from "../../../../src/testing/index.ts";
import { anEnvelope } from "../../../support/an-envelope.ts";

export const NAMESPACE = "test";
/** So long that nothing in a test happens because of polling. */
const NEVER_MS = 1e11;

/** An owner on a database of its own and one client of it. */
export interface TestOwner {
  readonly driver: StorageDriver;
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly owner: Owner;
  readonly client: HubClient;
  /** Another client of the same owner. */
  connect(): HubClient;
  close(): Promise<void>;
}

export interface TestOwnerOptions {
  readonly driver?: StorageDriver;
  readonly clock?: FakeClock;
  readonly sqlEngine?: SqlEngine;
  /** Changes the lease the owner gets, to count or to spoil its calls. */
  readonly wrap?: (lease: StorageLease) => StorageLease;
}

/** Opens an owner; closed when the test ends, if the test has not done so. */
export async function openOwner(options: TestOwnerOptions = {}): Promise<TestOwner> {
  const { driver = memoryStorage(), clock = new FakeClock(), sqlEngine, wrap = (lease) => lease } = options;
  const acquisition = await driver.acquire("hub.db");
  if (acquisition.role !== "owner") throw new Error("The database of the test has an owner already.");
  const logger = new RecordingLogger();
  const lease = wrap(acquisition.lease);
  const randomness = createSeededRandomness(1);
  const parts = { driver, clock, randomness, logger, durability: "full", place: "inline", sqlEngine } as const;
  const owner = await Owner.open({ host: nodeEngineHost, lease, ...parts });
  const connect = (): HubClient => new HubClient(inlineLink(owner, clock));
  const close = (): Promise<void> => owner.close();
  onTestFinished(() => close().catch(() => undefined));
  return { driver, clock, logger, owner, client: connect(), connect, close };
}

/** Resolves once the calls made so far have reached the owner, and before it runs them. */
export async function callsAreSent(): Promise<void> {
  for (let microtask = 0; microtask < 20; microtask += 1) await Promise.resolve();
}

/** The arguments of a publish. */
export function aPublish(init: Partial<EnvelopeInit> = {}): {
  namespace: string;
  message: ReturnType<typeof toStoredMessage>;
} {
  return { namespace: NAMESPACE, message: toStoredMessage(anEnvelope({ queue: "mail", ...init }), 1_000_000) };
}

/** A consumer and everything it was given, in order. */
export interface TestConsumer {
  readonly subscription: number;
  readonly deliveries: StoredDelivery[];
  cancel(unseen?: readonly StoredDelivery[]): Promise<void>;
}

/** Subscribes; resolves once the owner has answered. */
export async function aConsumer(client: HubClient, settings: Partial<ConsumerSettings> = {}): Promise<TestConsumer> {
  const deliveries: StoredDelivery[] = [];
  const subscription = client.listen((events) => {
    for (const event of events as (StoredDelivery | StoredBurial)[]) if (!("buried" in event)) deliveries.push(event);
  });
  await client.call("consume", {
    subscription,
    namespace: NAMESPACE,
    queues: ["mail"],
    channels: [],
    prefetch: 1,
    consumerName: `consumer-${subscription}`,
    defaultVisibilityTimeout: 30_000,
    maxDeliveries: 5,
    pollInterval: NEVER_MS,
    ...settings,
  });
  return {
    subscription,
    deliveries,
    async cancel(unseen = []) {
      await client.call("cancel", { subscription, unseen: unseen.map(refOf) });
      client.unlisten(subscription);
    },
  };
}

/** What settles a delivery. */
export function refOf(delivery: StoredDelivery | undefined): DeliveryRef {
  if (delivery === undefined) throw new Error("There is no such delivery.");
  return { seq: delivery.seq, token: delivery.token, id: "", queue: "" };
}

/** Counts the calls of a lease's files, by kind. */
export function countingLease(counts: Record<"write" | "flush", number>): (lease: StorageLease) => StorageLease {
  return (lease) => ({
    path: lease.path,
    exists: (name) => lease.exists(name),
    delete: (name, options) => lease.delete(name, options),
    verify: () => lease.verify(),
    durable: () => lease.durable(),
    release: () => lease.release(),
    open(name) {
      const file = lease.open(name);
      return {
        read: (into, at) => file.read(into, at),
        truncate: (size) => file.truncate(size),
        size: () => file.size(),
        close: () => file.close(),
        write(from, at) {
          counts.write += 1;
          file.write(from, at);
        },
        flush() {
          counts.flush += 1;
          file.flush();
        },
      };
    },
  });
}
