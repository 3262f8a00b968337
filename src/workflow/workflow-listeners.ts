import type { Clock } from "../contracts/clock.ts";
import type { Logger } from "../contracts/logger.ts";
import type { WorkflowEvent, WorkflowEventInput, WorkflowEventListener, WorkflowEventType } from "./workflow-events.ts";

type AnyListener = (event: WorkflowEvent) => unknown;

/** Hands the events of a runtime to listeners. Nothing that a listener does reaches a run. */
export class WorkflowListeners {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Map<WorkflowEventType, Set<{ readonly call: AnyListener }>>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  on<T extends WorkflowEventType>(type: T, listener: WorkflowEventListener<T>): () => void {
    const entry = { call: listener as AnyListener };
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(entry));
    return () => void listeners.delete(entry);
  }

  emit(run: Readonly<{ runId: string; workflow: string }>, input: WorkflowEventInput): void {
    const listeners = this.#listeners.get(input.type);
    if (listeners === undefined || listeners.size === 0) return;
    const { runId, workflow } = run;
    const event: WorkflowEvent = { ...input, runId, workflow, at: new Date(this.#clock.now()) };
    for (const { call } of listeners) void this.#tell(call, event);
  }

  async #tell(call: AnyListener, event: WorkflowEvent): Promise<void> {
    try {
      await call(event);
    } catch (error) {
      this.#logger.log("error", "A listener of workflow events threw.", { type: event.type, error });
    }
  }
}
