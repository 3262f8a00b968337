import { expect, type TestContext } from "vitest";
import type { ResultBackend, StatusWrite, TaskStatus } from "../../../src/contracts/result-backend.ts";
import type { Milliseconds } from "../../../src/core/duration.ts";
import type { FakeClock } from "../../../src/testing/fake-clock.ts";
import { arrival, nextValue, type Settle, settleWith } from "../support.ts";

/** `defaultTtl` of every handle in the kit. */
export const TTL: Milliseconds = 10_000;
/** `groupDefaultTtl` of every handle in the kit. */
export const GROUP_TTL: Milliseconds = 20_000;
/** `heartbeatTtl` of every handle in the kit. */
export const HEARTBEAT_TTL: Milliseconds = 5_000;

/** What the kit asks of a handle. A backend under test has these options under the same names. */
export interface ResultBackendHandleOptions {
  readonly namespace?: string;
  readonly defaultTtl?: Milliseconds;
  readonly groupDefaultTtl?: Milliseconds;
  readonly heartbeatTtl?: Milliseconds;
  readonly cleanupInterval?: Milliseconds;
  readonly maxPayloadBytes?: number;
}

/** Stored data and the clock of one test. */
export interface ResultBackendFixture {
  /** The only source of time of every handle. */
  readonly clock: FakeClock;
  /** Whether what a handle stored is there for one that is opened after it was closed, the process being the same. */
  readonly persistent: boolean;
  /** Opens one more handle; all handles of a fixture reach the same stored data. */
  open(options: ResultBackendHandleOptions): Promise<ResultBackend>;
  /** Closes the handles that are still open and removes the data. */
  close(): Promise<void>;
}

/** Makes an empty fixture; called once per test. */
export type OpenResultBackendFixture = () => ResultBackendFixture | Promise<ResultBackendFixture>;

const HANDLE_DEFAULTS: ResultBackendHandleOptions = {
  defaultTtl: TTL,
  groupDefaultTtl: GROUP_TTL,
  heartbeatTtl: HEARTBEAT_TTL,
  cleanupInterval: 0,
};

/** The workplace of one test: a backend, more handles on demand, and waits that let no time pass. */
export class ResultBackendBench {
  readonly clock: FakeClock;
  readonly #fixture: ResultBackendFixture;
  readonly #context: TestContext;
  #backend: ResultBackend;

  constructor(fixture: ResultBackendFixture, backend: ResultBackend, context: TestContext) {
    this.clock = fixture.clock;
    this.#backend = backend;
    this.#fixture = fixture;
    this.#context = context;
  }

  get backend(): ResultBackend {
    return this.#backend;
  }

  /** Another handle on the same data. */
  open(options: ResultBackendHandleOptions = {}): Promise<ResultBackend> {
    return this.#fixture.open({ ...HANDLE_DEFAULTS, ...options });
  }

  /** Closes the backend and opens the stored data anew; skips the test where nothing survives that. */
  async reopen(): Promise<void> {
    this.#context.skip(!this.#fixture.persistent, "the backend is not persistent");
    await this.#backend.close();
    this.#backend = await this.open();
  }

  /** Writes a status given as one value. */
  write({ taskId, state, ...options }: StatusWrite): Promise<boolean> {
    return this.backend.set(taskId, state, options);
  }

  /** The next status of a watch, which has to come without time passing. */
  next(watch: AsyncIterator<TaskStatus>): Promise<TaskStatus> {
    return nextValue(watch, this.settle, "the next status");
  }

  arrival<T>(promise: Promise<T>, what: string): Promise<T> {
    return arrival(promise, this.settle, what);
  }

  readonly settle: Settle = () => settleWith(this.clock, () => this.backend.get("settle"))();
}

/** Makes a test function that works on a fresh bench and, at its end, closes it and looks for timers left behind. */
export function onBench(
  openFixture: OpenResultBackendFixture,
  body: (bench: ResultBackendBench) => Promise<void>,
  options: ResultBackendHandleOptions = {},
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const fixture = await openFixture();
    try {
      const backend = await fixture.open({ ...HANDLE_DEFAULTS, ...options });
      await body(new ResultBackendBench(fixture, backend, context));
    } finally {
      await fixture.close();
    }
    expect(fixture.clock.pendingTimers, "timers left after close").toBe(0);
  };
}
