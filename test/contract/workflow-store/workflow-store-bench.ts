import { expect, type TestContext } from "vitest";
import type {
  ClaimOutcome,
  ClaimRequest,
  Continuation,
  NewRun,
  NewWait,
  RunClaim,
  RunState,
  SaveReceipt,
  StepWrite,
  WorkflowStore,
} from "../../../src/contracts/workflow-store.ts";
import type { TaskError } from "../../../src/contracts/result-backend.ts";
import type { Milliseconds } from "../../../src/core/duration.ts";
import type { JsonValue } from "../../../src/core/json.ts";
import type { FakeClock } from "../../../src/testing/fake-clock.ts";
import { arrival, nextValue, type Settle, settleWith } from "../support.ts";

/** Length of every lease in the kit. */
export const LEASE: Milliseconds = 30_000;
/** `defaultRunTtl` of every handle in the kit. */
export const RUN_TTL: Milliseconds = 100_000;
/** `eventTtl` of every handle in the kit. */
export const EVENT_TTL: Milliseconds = 50_000;
/** Where the kit's runs go. */
export const QUEUES = { orchestrationQueue: "wf", continuationQueue: "wf-cont", executionQueue: "work" } as const;

/** What the kit asks of a handle. A store under test has these options under the same names. */
export interface WorkflowStoreHandleOptions {
  readonly namespace?: string;
  readonly defaultRunTtl?: Milliseconds;
  readonly eventTtl?: Milliseconds;
  readonly cleanupInterval?: Milliseconds;
  readonly maxPayloadBytes?: number;
}

/** A continuation as its reader sees it. */
export type SeenContinuation = Pick<Continuation, "runId" | "number" | "reason" | "queue" | "workflow">;

/** Stored data and the clock of one test. */
export interface WorkflowStoreFixture {
  /** The only source of time of every handle. */
  readonly clock: FakeClock;
  /** Whether what a handle stored is there for one that is opened after it was closed, the process being the same. */
  readonly persistent: boolean;
  /**
   * Messages of the kit's queues that are due, in the order of their publishing, when continuations become messages of
   * a broker; absent when they wait in the outbox.
   */
  readonly messages?: () => Promise<readonly SeenContinuation[]>;
  /** Opens one more handle; all handles of a fixture reach the same stored data. */
  open(options: WorkflowStoreHandleOptions): Promise<WorkflowStore>;
  /** Closes the handles that are still open and removes the data. */
  close(): Promise<void>;
}

/** Makes an empty fixture; called once per test. */
export type OpenWorkflowStoreFixture = () => WorkflowStoreFixture | Promise<WorkflowStoreFixture>;

const HANDLE_DEFAULTS: WorkflowStoreHandleOptions = {
  defaultRunTtl: RUN_TTL,
  eventTtl: EVENT_TTL,
  cleanupInterval: 0,
};

/** A valid run. */
export function aRun(runId: string, change: Partial<NewRun> = {}): NewRun {
  return { runId, workflow: "order", version: 1, params: {}, queues: QUEUES, ...change };
}

/** A checkpoint of the step `name`, such as `repeat#2`. */
export function aStep(name: string, value: JsonValue = null, change: Partial<StepWrite> = {}): StepWrite {
  const [baseName = name, iteration] = name.split("#");
  return {
    name,
    baseName,
    ...(iteration === undefined ? {} : { iteration: Number(iteration) }),
    kind: "step",
    value,
    attempts: 1,
    startedAt: new Date(1_000),
    ...change,
  };
}

/** How something failed. */
export function anError(message = "no", change: Partial<TaskError> = {}): TaskError {
  return { type: "OrderError", message, retryable: false, meta: {}, ...change };
}

/** A run that is held. */
export type Claimed = Extract<ClaimOutcome, { kind: "claimed" }>;

/** The workplace of one test: a store, more handles on demand, and waits that let no time pass. */
export class WorkflowStoreBench {
  readonly clock: FakeClock;
  readonly #fixture: WorkflowStoreFixture;
  readonly #context: TestContext;
  #store: WorkflowStore;

  constructor(fixture: WorkflowStoreFixture, store: WorkflowStore, context: TestContext) {
    this.clock = fixture.clock;
    this.#fixture = fixture;
    this.#store = store;
    this.#context = context;
  }

  get store(): WorkflowStore {
    return this.#store;
  }

  get now(): number {
    return this.clock.now();
  }

  /** Another handle on the same data. */
  open(options: WorkflowStoreHandleOptions = {}): Promise<WorkflowStore> {
    return this.#fixture.open({ ...HANDLE_DEFAULTS, ...options });
  }

  /** Closes the store and opens the stored data anew; skips the test where nothing survives that. */
  async reopen(): Promise<void> {
    this.#context.skip(!this.#fixture.persistent, "the workflow store is not persistent");
    await this.#store.close();
    this.#store = await this.open();
  }

  /** Skips the test where continuations do not wait in an outbox. */
  needsOutbox(): void {
    this.#context.skip(this.#fixture.messages !== undefined, "continuations become messages of a broker");
  }

  /** An instant, `ms` from now. */
  in(ms: Milliseconds): Date {
    return new Date(this.now + ms);
  }

  /** The state of a run that has to be there. */
  async run(runId: string): Promise<RunState> {
    const run = await this.store.get(runId);
    if (run === null) throw new Error(`There is no run "${runId}".`);
    return run;
  }

  /** Takes a run, which has to be granted. */
  async claim(runId: string, change: Partial<ClaimRequest> = {}): Promise<Claimed> {
    const outcome = await this.tryClaim(runId, change);
    if (outcome.kind !== "claimed") throw new Error(`Run "${runId}" cannot be claimed: it is ${outcome.kind}.`);
    return outcome;
  }

  tryClaim(runId: string, change: Partial<ClaimRequest> = {}): Promise<ClaimOutcome> {
    return this.store.claimRun(runId, { ownerId: "w1", leaseDuration: LEASE, ...change });
  }

  /** Creates a run and takes it. */
  async start(runId: string, change: Partial<NewRun> = {}): Promise<RunClaim> {
    await this.store.createRun(aRun(runId, change));
    return (await this.claim(runId)).claim;
  }

  /** A run that waits. */
  async suspended(runId: string, waits: readonly NewWait[], change: Partial<NewRun> = {}): Promise<void> {
    await this.store.suspend(await this.start(runId, change), waits);
  }

  /** A run that has these checkpoints, and is held. */
  async withSteps(runId: string, ...names: readonly string[]): Promise<RunClaim> {
    const claim = await this.start(runId);
    for (const name of names) await this.save(claim, aStep(name, `of ${name}`));
    return claim;
  }

  save(claim: RunClaim, step: StepWrite): Promise<SaveReceipt> {
    return this.store.saveStep(claim, step, { leaseDuration: LEASE });
  }

  /** Names of the checkpoints of a run, in order. */
  async stepNames(runId: string): Promise<string[]> {
    return (await this.store.listSteps(runId)).map(({ name }) => name);
  }

  /** The continuations that are due, as `run:number:reason`, oldest first; only those that count. */
  async due(): Promise<string[]> {
    const pending = this.#fixture.messages === undefined ? await this.#outbox() : await this.#fixture.messages();
    const seen: string[] = [];
    for (const { runId, number, reason } of pending) {
      const run = await this.store.get(runId);
      if (run?.continuation === number && run.endedAt === undefined) seen.push(`${runId}:${number}:${reason}`);
    }
    return seen;
  }

  async #outbox(): Promise<readonly SeenContinuation[]> {
    const pending = await this.store.pendingContinuations(1_000);
    return pending.filter(({ notBefore }) => notBefore === undefined || notBefore.getTime() <= this.now);
  }

  /** The next state of a watch, which has to come without time passing. */
  next(watch: AsyncIterator<RunState>): Promise<RunState> {
    return nextValue(watch, this.settle, "the next state");
  }

  arrival<T>(promise: Promise<T>, what: string): Promise<T> {
    return arrival(promise, this.settle, what);
  }

  readonly settle: Settle = () => settleWith(this.clock, () => this.store.get("settle"))();
}

/** Makes a test function that works on a fresh bench and, at its end, closes it and looks for timers left behind. */
export function onBench(
  openFixture: OpenWorkflowStoreFixture,
  body: (bench: WorkflowStoreBench) => Promise<void>,
  options: WorkflowStoreHandleOptions = {},
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const fixture = await openFixture();
    try {
      const store = await fixture.open({ ...HANDLE_DEFAULTS, ...options });
      await body(new WorkflowStoreBench(fixture, store, context));
    } finally {
      await fixture.close();
    }
    expect(fixture.clock.pendingTimers, "timers left after close").toBe(0);
  };
}
