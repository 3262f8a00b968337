import type { TaskError } from "../contracts/result-backend.ts";
import type {
  CheckpointKind,
  NewWait,
  StepWrite,
  WaitKind,
  WorkflowStepEntry,
  WorkflowWait,
} from "../contracts/workflow-store.ts";
import { InvalidOptionError, PayloadNotSerializableError, PayloadTooLargeError } from "../errors.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { onAbort } from "../runtime/on-abort.ts";
import { NondeterminismError, RunLeaseLostError, StepFailedError, WorkflowCancelledError } from "../workflow-errors.ts";
import type { PassEnd, PassParts } from "./pass-parts.ts";
import { type Divergence, ReplayGate } from "./replay-gate.ts";
import { FAILURE_NAME } from "./run-failure.ts";
import { toStepError } from "./step-error.ts";
import { plainKey, type StepKey, versionedKey } from "./step-names.ts";
import { untilQuiet } from "./until-quiet.ts";
import { resumeDataOf } from "./wait-end.ts";
import type { ResumeData } from "./workflow-definition.ts";

/** A new one each time: one for all would hold on to everything that ever waited for it. */
const never = (): Promise<never> => new Promise(() => undefined);

/**
 * One pass through the code of a workflow: over what is recorded, through what is new, until the run ends, waits for
 * something, or is no longer ours. Code that waits is left where it is, and never goes on in this pass.
 */
export class WorkflowPass {
  readonly parts: PassParts;
  readonly #history: ReadonlyMap<string, WorkflowStepEntry>;
  /** What the run waits for since earlier passes, by the name of the checkpoint. */
  readonly #waits: ReadonlyMap<string, WorkflowWait>;
  readonly #newWaits = new Map<string, NewWait>();
  readonly #asked = new Set<string>();
  readonly #iterations = new Map<string, number>();
  readonly #gate: ReplayGate;
  readonly #end = createDeferred<PassEnd>();
  readonly #controller = new AbortController();
  /** Functions of steps that run now. */
  #working = 0;
  #haveParked = 0;
  #progress = 0;
  #isSettling = false;
  #isOver = false;
  /** Somebody asked for the run to be cancelled after its compensations. */
  #isToEnd: boolean;

  constructor(parts: PassParts) {
    this.parts = parts;
    this.#isToEnd = parts.run.cancelRequested === true;
    this.#history = new Map(parts.steps.map((entry) => [entry.name, entry]));
    this.#waits = new Map(parts.waits.map((wait) => [wait.step, wait]));
    this.#gate = new ReplayGate(parts.steps, {
      onDivergence: (divergence) => this.#diverge(divergence),
      onIdle: () => this.considerSuspending(),
    });
  }

  /** Fires when the pass is over, whatever the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isReplaying(): boolean {
    return this.#gate.isReplaying;
  }

  /** How many checkpoints have been asked for. */
  get asked(): number {
    return this.#asked.size;
  }

  /** Runs `code` until the pass is over; it is told when it has come to its end. */
  async execute(code: () => Promise<PassEnd>): Promise<PassEnd> {
    const { signal } = this.parts;
    const stop = (): void => this.finish({ kind: signal.reason instanceof RunLeaseLostError ? "lost" : "released" });
    if (signal.aborted) stop();
    const forget = signal.aborted ? () => undefined : onAbort(signal, stop);
    if (!signal.aborted) void this.#advance(code);
    try {
      return await this.#end.promise;
    } finally {
      forget();
    }
  }

  /** What is recorded under a name. */
  recorded(name: string): WorkflowStepEntry | undefined {
    return this.#history.get(name);
  }

  recordedBelow(prefix: string): readonly WorkflowStepEntry[] {
    return this.parts.steps.filter(({ name }) => name.startsWith(prefix));
  }

  /** What the run waited for, and still does. */
  waitOf(name: string): WorkflowWait | undefined {
    return this.#waits.get(name);
  }

  keyOf(baseName: string, autoVersion: boolean): StepKey {
    if (!autoVersion) return plainKey(baseName);
    const iteration = this.#iterations.get(baseName) ?? 0;
    this.#iterations.set(baseName, iteration + 1);
    return versionedKey(baseName, iteration);
  }

  /**
   * Asks for a checkpoint. Resolves to what is recorded, when it is its turn, or to nothing when it is a new one. Throws
   * `WorkflowCancelledError` for a new one in a run that is to end.
   */
  async ask(name: string, kind: CheckpointKind): Promise<WorkflowStepEntry | undefined> {
    if (this.#isOver) return never();
    if (this.#asked.has(name)) {
      throw new InvalidOptionError("name", name, "a name that no other step of the workflow has, or autoVersion");
    }
    this.#asked.add(name);
    this.#progress += 1;
    const entry = this.#history.get(name);
    if (entry !== undefined && entry.kind !== kind) {
      this.#diverge({ recorded: entry, asked: `${name}, as ${kind}` });
      return never();
    }
    if (entry === undefined) await this.#gate.newcomer(name);
    else await this.#gate.recorded(name);
    this.#progress += 1;
    if (this.#isOver) return never();
    if (entry === undefined && !isOfCompensation(name)) this.checkGoingOn();
    return entry;
  }

  /** Asks for a wait, and waits; `onPark` is called before the code is left where it is. */
  async wait(
    name: string,
    kind: WaitKind & CheckpointKind,
    make: () => Omit<NewWait, "step" | "kind">,
    onPark?: () => void,
  ): Promise<ResumeData> {
    const entry = await this.ask(name, kind);
    if (entry !== undefined) return resumeDataOf(entry);
    onPark?.();
    return this.park(this.#waits.has(name) ? undefined : { step: name, kind, ...make() });
  }

  /** Leaves the code that calls it where it is; `wait` is stored when the pass suspends. */
  park(wait?: NewWait): Promise<never> {
    if (wait !== undefined) this.#newWaits.set(wait.step, wait);
    this.#haveParked += 1;
    this.#progress += 1;
    this.considerSuspending();
    return never();
  }

  /** Counts `work`, so that the pass is not suspended under it. The returned function ends it, once. */
  begin(): () => void {
    this.#working += 1;
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      this.#working -= 1;
      this.considerSuspending();
    };
  }

  /**
   * Stores a checkpoint. Throws what is wrong with its value; when the run is no longer ours the pass is over, and this
   * never resolves.
   */
  async save(step: StepWrite, child?: Parameters<PassParts["store"]["saveStep"]>[2]["child"]): Promise<void> {
    const { store, claim, leaseDuration } = this.parts;
    if (this.#isOver) return never();
    try {
      const options = { leaseDuration, ...(child === undefined ? {} : { child }) };
      const { cancelRequested } = await store.saveStep(claim, step, options);
      this.#isToEnd ||= cancelRequested;
    } catch (error) {
      if (isPayloadFault(error)) throw error;
      this.fault(error);
      return never();
    }
    if (this.#isOver) return never();
  }

  /** Ends the pass for a fault that is not the workflow's. */
  fault(error: unknown): void {
    if (error instanceof RunLeaseLostError) this.finish({ kind: "lost" });
    else this.finish({ kind: "released", error: toStepError(error) });
  }

  finish(end: PassEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end.resolve(end);
    this.#controller.abort(this.parts.signal.reason ?? new RunLeaseLostError(this.parts.claim.runId));
  }

  /** Suspends the run once nothing runs, nothing is being replayed, and all code has come to rest. */
  considerSuspending(): void {
    if (this.#isOver || this.#working > 0 || this.#haveParked === 0 || this.#isSettling) return;
    this.#isSettling = true;
    void this.#suspendWhenQuiet();
  }

  async #suspendWhenQuiet(): Promise<void> {
    let before: number;
    do {
      before = this.#progress;
      await untilQuiet();
    } while (before !== this.#progress);
    this.#isSettling = false;
    if (this.#working > 0 || !this.#gate.isIdle) return;
    this.finish({ kind: "suspended", waits: [...this.#newWaits.values()] });
  }

  async #advance(code: () => Promise<PassEnd>): Promise<void> {
    try {
      this.finish(await code());
    } catch (error) {
      this.fault(error);
    }
  }

  /** Resolves when all of the history was asked for; for code that has ended. */
  historyEnds(): Promise<void> {
    return this.#gate.ended();
  }

  /** A run that has failed, or is to be cancelled, begins nothing new. */
  checkGoingOn(): void {
    const { run } = this.parts;
    const failure = this.#history.get(FAILURE_NAME)?.error;
    if (failure !== undefined) throw new StepFailedError(FAILURE_NAME, failure.type, failure.message);
    if (!this.#isToEnd) return;
    const reason = run.cancellationData?.["reason"];
    throw new WorkflowCancelledError(run.runId, typeof reason === "string" ? reason : undefined);
  }

  #diverge({ recorded, asked }: Divergence): void {
    const instead = asked === undefined ? "the code ends without it" : `the code asks for "${asked}"`;
    const finding = `"${recorded.name}" (${recorded.kind}) is recorded next, and ${instead}`;
    const step = asked === undefined ? recorded.name : (asked.split(",")[0] ?? asked);
    const error: TaskError = toStepError(new NondeterminismError(this.parts.definition.name, step, finding));
    this.finish({ kind: "failed", error: { ...error, retryable: false } });
  }
}

function isPayloadFault(error: unknown): boolean {
  return error instanceof PayloadTooLargeError || error instanceof PayloadNotSerializableError;
}

/** What a compensation waits for is asked for while the run is ending. */
function isOfCompensation(name: string): boolean {
  return name.includes("/compensation/");
}
