import { expect } from "vitest";
import type { StemErrorCode } from "../../src/errors.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";

/** How many rounds of work a kit waits for something that has to come without any time passing. */
const PATIENCE = 200;

/** Lets everything run that is already on its way; ends with an answered call, so other threads have caught up too. */
export type Settle = () => Promise<void>;

/** A settle that moves no time: reactions run, then `probe`, a harmless call, comes back from the store. */
export function settleWith(clock: FakeClock, probe: () => Promise<unknown>, rounds = 3): Settle {
  return async () => {
    for (let round = 0; round < rounds; round += 1) {
      await clock.advance(0);
      await probe();
    }
  };
}

/** A promise whose state can be looked at. */
export interface Tracked<T> {
  readonly promise: Promise<T>;
  readonly isPending: boolean;
}

/** Watches a promise; its rejection counts as handled. */
export function track<T>(promise: Promise<T>): Tracked<T> {
  let isPending = true;
  const done = (): void => {
    isPending = false;
  };
  promise.then(done, done);
  return {
    promise,
    get isPending() {
      return isPending;
    },
  };
}

/** The value of `promise`, which has to come without time passing; throws, naming `what`, when it does not. */
export async function arrival<T>(promise: Promise<T>, settle: Settle, what: string): Promise<T> {
  const tracked = track(promise);
  for (let round = 0; tracked.isPending; round += 1) {
    if (round === PATIENCE) throw new Error(`${what} does not come.`);
    await settle();
  }
  return promise;
}

/** The next value of an iterator, which has to come without time passing. */
export async function nextValue<T>(values: AsyncIterator<T>, settle: Settle, what: string): Promise<T> {
  const result = await arrival(values.next(), settle, what);
  if (result.done === true) throw new Error(`${what} does not come: the iteration has ended.`);
  return result.value;
}

/** Waits until `isTrue` answers true without time passing; throws, naming `what`, when it does not. */
export async function until(isTrue: () => Promise<boolean>, settle: Settle, what: string): Promise<void> {
  for (let round = 0; !(await isTrue()); round += 1) {
    if (round === PATIENCE) throw new Error(`${what} does not happen.`);
    await settle();
  }
}

/** Expects a rejection, or a throw at call time, with this code. */
export async function expectError(action: () => unknown, code: StemErrorCode): Promise<void> {
  const outcome = await Promise.resolve()
    .then(action)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(outcome, `an error with code ${code}`).toMatchObject({ code });
}
