import { expect, type TestContext } from "vitest";
import type { Broker, BrokerCapabilities, Consumer, ConsumeOptions, Delivery } from "../../../src/contracts/broker.ts";
import type { Milliseconds } from "../../../src/core/duration.ts";
import type { Envelope, EnvelopeInit } from "../../../src/core/envelope.ts";
import type { FakeClock } from "../../../src/testing/fake-clock.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { arrival, expectError, nextValue, type Settle, settleWith, track, until } from "../support.ts";

/** Lease of every delivery in the kit, unless its message asks for another. */
export const LEASE: Milliseconds = 1_000;
/** The queue that tests use when the name does not matter. */
export const QUEUE = "default";

/** What the kit asks of a handle. A broker under test has these options under the same names. */
export interface BrokerHandleOptions {
  readonly namespace?: string;
  readonly defaultVisibilityTimeout?: Milliseconds;
  readonly maxDeliveries?: number;
  readonly maxPayloadBytes?: number;
  readonly sweeperInterval?: Milliseconds;
  readonly deadLetterRetention?: Milliseconds;
}

/** Stored data and the clock of one test. */
export interface BrokerFixture {
  /** The only source of time of every handle. */
  readonly clock: FakeClock;
  /**
   * Opens one more handle. All handles of a fixture reach the same stored data, side by side and, when the broker is
   * persistent, one after the other.
   */
  open(options: BrokerHandleOptions): Promise<Broker>;
  /** Closes the handles that are still open and removes the data. */
  close(): Promise<void>;
}

/** Makes an empty fixture; called once per test. */
export type OpenBrokerFixture = () => BrokerFixture | Promise<BrokerFixture>;

const HANDLE_DEFAULTS: BrokerHandleOptions = { defaultVisibilityTimeout: LEASE, maxDeliveries: 5, sweeperInterval: 0 };

/** The workplace of one test: a broker, more handles on demand, and waits that let no time pass. */
export class BrokerBench {
  readonly clock: FakeClock;
  readonly #fixture: BrokerFixture;
  readonly #context: TestContext;
  #broker: Broker;

  constructor(fixture: BrokerFixture, broker: Broker, context: TestContext) {
    this.clock = fixture.clock;
    this.#broker = broker;
    this.#fixture = fixture;
    this.#context = context;
  }

  /** The handle that everything here works on unless told otherwise. */
  get broker(): Broker {
    return this.#broker;
  }

  /** Closes the broker and opens the stored data anew. */
  async reopen(): Promise<void> {
    await this.#broker.close();
    this.#broker = await this.open();
  }

  /** Another handle on the same data. */
  open(options: BrokerHandleOptions = {}): Promise<Broker> {
    return this.#fixture.open({ ...HANDLE_DEFAULTS, ...options });
  }

  /** Skips the test, with a reason, on a broker without the capability. */
  needs(capability: keyof BrokerCapabilities): void {
    this.#context.skip(this.broker.capabilities[capability] !== true, `the broker's capability ${capability} is false`);
  }

  /** Publishes a new envelope and returns it. */
  async publish(init: Partial<EnvelopeInit> = {}): Promise<Envelope> {
    const envelope = anEnvelope(init);
    await this.broker.publish(envelope);
    return envelope;
  }

  consume(queue: string = QUEUE, options: ConsumeOptions & { readonly broker?: Broker } = {}): Consumer {
    const { broker = this.broker, ...consumeOptions } = options;
    return broker.consume({ queues: [queue] }, consumeOptions);
  }

  /** The next delivery, which has to come without time passing. */
  next(consumer: Consumer): Promise<Delivery> {
    return nextValue(consumer, this.settle, "the next delivery");
  }

  /** Leases one message through a consumer that ends at once, so that nothing else is leased beside it. */
  async take(queue: string = QUEUE, broker: Broker = this.broker): Promise<Delivery> {
    const consumer = this.consume(queue, { broker });
    const delivery = await this.next(consumer);
    await consumer.return();
    return delivery;
  }

  /** Leases and acks every message that can be delivered now; their ids in order of delivery. */
  async drain(queue: string = QUEUE, broker: Broker = this.broker): Promise<string[]> {
    const ids: string[] = [];
    while ((await broker.pendingCount(queue)) !== 0) {
      const delivery = await this.take(queue, broker);
      ids.push(delivery.envelope.id);
      await broker.ack(delivery);
    }
    return ids;
  }

  /** Expects that a consumer of `queue`, now waiting, is given nothing. */
  async expectNothing(queue: string = QUEUE, broker: Broker = this.broker): Promise<void> {
    const consumer = this.consume(queue, { broker });
    const waiting = track(consumer.next());
    await this.settle();
    expect(waiting.isPending, `a consumer of "${queue}" goes on waiting`).toBe(true);
    await consumer.return();
  }

  /** Pending, in flight and dead of a queue. */
  async counts(queue: string = QUEUE, broker: Broker = this.broker): Promise<readonly (number | null)[]> {
    const { entries } = await broker.listDeadLetters(queue);
    return [await broker.pendingCount(queue), await broker.inflightCount(queue), entries.length];
  }

  expectLost(action: () => Promise<unknown>): Promise<void> {
    return expectError(action, "STEM_LEASE_LOST");
  }

  arrival<T>(promise: Promise<T>, what: string): Promise<T> {
    return arrival(promise, this.settle, what);
  }

  until(isTrue: () => Promise<boolean>, what: string): Promise<void> {
    return until(isTrue, this.settle, what);
  }

  readonly settle: Settle = () => settleWith(this.clock, () => this.broker.pendingCount(QUEUE))();
}

/** Makes a test function that works on a fresh bench and, at its end, closes it and looks for timers left behind. */
export function onBench(
  openFixture: OpenBrokerFixture,
  body: (bench: BrokerBench) => Promise<void>,
  options: BrokerHandleOptions = {},
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const fixture = await openFixture();
    try {
      const broker = await fixture.open({ ...HANDLE_DEFAULTS, ...options });
      await body(new BrokerBench(fixture, broker, context));
    } finally {
      await fixture.close();
    }
    expect(fixture.clock.pendingTimers, "timers left after close").toBe(0);
  };
}
