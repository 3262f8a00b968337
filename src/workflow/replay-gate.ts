import type { WorkflowStepEntry } from "../contracts/workflow-store.ts";
import { untilQuiet, untilThere } from "./until-quiet.ts";

/** Code may await a lot between two steps, such as one thing for each entry of a list, before it is taken for changed. */
const PATIENCE = 400;

/** Where code and history part: what is recorded, and what the code asks for instead, if anything. */
export interface Divergence {
  readonly recorded: WorkflowStepEntry;
  readonly asked?: string;
}

/** What a {@link ReplayGate} tells. */
export interface ReplayGateListener {
  onDivergence(divergence: Divergence): void;
  /** Nobody waits at the gate any more. */
  onIdle(): void;
}

/**
 * Lets the code of a workflow through its history in the order in which that was recorded: a result comes when all those
 * before it have come, so that races end as they did; and something new begins only when nothing recorded is left.
 * Code that has come to rest without asking for what is recorded next has been changed.
 */
export class ReplayGate {
  readonly #expected: WorkflowStepEntry[];
  readonly #expectedNames: Set<string>;
  readonly #listener: ReplayGateListener;
  readonly #arrived = new Map<string, () => void>();
  #newcomers: { readonly name: string; readonly resolve: () => void }[] = [];
  #isTurning = false;
  #isOver = false;
  /** Called once nothing is left, for code that has ended; it may have left branches that still come for what is. */
  #onEnd: (() => void) | undefined;

  constructor(history: readonly WorkflowStepEntry[], listener: ReplayGateListener) {
    this.#expected = history.filter(({ kind, name }) => isAskedFor(kind, name));
    this.#expectedNames = new Set(this.#expected.map(({ name }) => name));
    this.#listener = listener;
  }

  /** Whether some of the history has not been asked for yet. */
  get isReplaying(): boolean {
    return this.#expected.length > 0;
  }

  get isIdle(): boolean {
    return !this.#isTurning;
  }

  /** Resolves when it is the turn of a recorded checkpoint. */
  recorded(name: string): Promise<void> {
    if (!this.#expectedNames.has(name)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#arrived.set(name, resolve);
      this.#turn();
    });
  }

  /** Resolves when the history is over. */
  newcomer(name: string): Promise<void> {
    if (!this.isReplaying) return Promise.resolve();
    return new Promise((resolve) => {
      this.#newcomers.push({ name, resolve });
      this.#turn();
    });
  }

  /** Resolves when the history is over, for code that has ended. */
  ended(): Promise<void> {
    if (!this.isReplaying) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEnd = resolve;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#isTurning || this.#isOver) return;
    this.#isTurning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#expected.length > 0 && this.#isWanted) {
      const recorded = this.#expected[0] as WorkflowStepEntry;
      await untilThere(() => this.#arrived.has(recorded.name), PATIENCE);
      const go = this.#arrived.get(recorded.name);
      if (go === undefined) {
        const asked = this.#newcomers[0]?.name ?? this.#arrived.keys().next().value;
        return this.#diverge({ recorded, ...(asked === undefined ? {} : { asked }) });
      }
      this.#expected.shift();
      this.#arrived.delete(recorded.name);
      go();
      // All that follows from this result has to come before the next one, however long the awaits in between.
      await untilQuiet();
    }
    this.#isTurning = false;
    if (this.#expected.length === 0) {
      for (const { resolve } of this.#newcomers.splice(0)) resolve();
      this.#onEnd?.();
    }
    this.#listener.onIdle();
  }

  get #isWanted(): boolean {
    return this.#arrived.size > 0 || this.#newcomers.length > 0 || this.#onEnd !== undefined;
  }

  /** Never resolves: whoever waits here does so in vain. */
  #diverge(divergence: Divergence): Promise<never> {
    this.#isOver = true;
    this.#listener.onDivergence(divergence);
    return new Promise(() => undefined);
  }
}

/** Inner checkpoints belong to a step that may be recorded as a whole; patches and ends are not asked for in order. */
function isAskedFor(kind: WorkflowStepEntry["kind"], name: string): boolean {
  return (
    !name.includes("/", 1) &&
    (kind === "step" || kind === "sleep" || kind === "event" || kind === "child" || kind === "tasks")
  );
}
