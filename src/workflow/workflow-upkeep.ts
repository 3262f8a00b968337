import { continuationEnvelope } from "../core/workflow-continuation.ts";
import { repeat, type Repetition } from "../runtime/repeat.ts";
import type { ResolvedWorkflowRuntimeOptions } from "./workflow-runtime-options.ts";

/** Most continuations that are published together, and runs that are recovered together. */
const BATCH = 256;

/** Publishes continuations that the store could not publish itself, and finds runs whose message was lost. */
export class WorkflowUpkeep {
  readonly #options: ResolvedWorkflowRuntimeOptions;
  /** The store's continuations are messages already. */
  readonly #isDispatched: boolean;
  #repetition: Repetition | undefined;
  #publishing: Promise<void> | undefined;
  #isWanted = false;

  constructor(options: ResolvedWorkflowRuntimeOptions) {
    this.#options = options;
    this.#isDispatched = options.store.dispatchTo(options.broker);
  }

  start(): void {
    const { clock, recoveryInterval, logger } = this.#options;
    this.#repetition ??= repeat(() => this.recover(), {
      clock,
      interval: recoveryInterval,
      onError: (error) => logger.log("error", "Runs of workflows could not be looked after.", { error }),
    });
    void this.published();
  }

  async stop(): Promise<void> {
    await this.#repetition?.stop();
    this.#repetition = undefined;
    await this.#publishing;
  }

  /** Publishes what waits. To be called after whatever may have made a continuation; never rejects. */
  published(): Promise<void> {
    if (this.#isDispatched) return Promise.resolve();
    this.#isWanted = true;
    this.#publishing ??= this.#publishAll();
    return this.#publishing;
  }

  /** Gives new messages to runs whose own was lost. */
  async recover(): Promise<void> {
    const { store, recoveryGrace, maxRecoveries } = this.#options;
    await store.recoverRuns({ grace: recoveryGrace, maxRecoveries, limit: BATCH });
    await this.published();
  }

  async #publishAll(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        while (await this.#publishSome());
      }
    } catch (error) {
      this.#options.logger.log("warn", "Messages of workflow runs could not be published; it is tried again.", {
        error,
      });
    } finally {
      this.#publishing = undefined;
    }
  }

  /** What is published twice has one id: the broker keeps the first. */
  async #publishSome(): Promise<boolean> {
    const { store, broker, clock } = this.#options;
    const continuations = await store.pendingContinuations(BATCH);
    if (continuations.length === 0) return false;
    await broker.publishAll(continuations.map((continuation) => continuationEnvelope(continuation, clock.now())));
    await store.confirmContinuations(continuations);
    return continuations.length === BATCH;
  }
}
