import { expect, type TestContext } from "vitest";
import type { RevokeEntry, RevokeStore } from "../../../src/contracts/revoke-store.ts";
import type { FakeClock } from "../../../src/testing/fake-clock.ts";
import { arrival, type Settle, settleWith } from "../support.ts";

/** Stored data and the clock of one test. */
export interface RevokeStoreFixture {
  readonly clock: FakeClock;
  /** Whether what a handle stored is there for one that is opened after it was closed, the process being the same. */
  readonly persistent: boolean;
  /** Opens one more handle; all handles of a fixture reach the same stored data. */
  open(): Promise<RevokeStore>;
  /** Closes the handles that are still open and removes the data. */
  close(): Promise<void>;
}

/** Makes an empty fixture; called once per test. */
export type OpenRevokeStoreFixture = () => RevokeStoreFixture | Promise<RevokeStoreFixture>;

/** A valid revocation of `taskId`. */
export function aRevocation(taskId: string, change: Partial<RevokeEntry> = {}): RevokeEntry {
  return { namespace: "stem", taskId, version: 1, issuedAt: new Date(1_000), terminate: false, ...change };
}

/** The workplace of one test. */
export class RevokeStoreBench {
  readonly #fixture: RevokeStoreFixture;
  readonly #context: TestContext;
  #store: RevokeStore;

  constructor(fixture: RevokeStoreFixture, store: RevokeStore, context: TestContext) {
    this.#store = store;
    this.#fixture = fixture;
    this.#context = context;
  }

  get store(): RevokeStore {
    return this.#store;
  }

  /** Another handle on the same data. */
  open(): Promise<RevokeStore> {
    return this.#fixture.open();
  }

  /** Closes the store and opens the stored data anew; skips the test where nothing survives that. */
  async reopen(): Promise<void> {
    this.#context.skip(!this.#fixture.persistent, "the revoke store is not persistent");
    await this.#store.close();
    this.#store = await this.open();
  }

  arrival<T>(promise: Promise<T>, what: string): Promise<T> {
    return arrival(promise, this.settle, what);
  }

  readonly settle: Settle = () => settleWith(this.#fixture.clock, () => this.store.list("settle"))();
}

/** Makes a test function that works on a fresh bench and, at its end, closes it and looks for timers left behind. */
export function onBench(
  openFixture: OpenRevokeStoreFixture,
  body: (bench: RevokeStoreBench) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const fixture = await openFixture();
    try {
      await body(new RevokeStoreBench(fixture, await fixture.open(), context));
    } finally {
      await fixture.close();
    }
    expect(fixture.clock.pendingTimers, "timers left after close").toBe(0);
  };
}
