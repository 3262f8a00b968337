import type { TaskError } from "../contracts/result-backend.ts";
import type {
  CheckpointKind,
  NewWait,
  StepWrite,
  WorkflowStepEntry,
  WorkflowWait,
} from "../contracts/workflow-store.ts";
import type { JsonValue } from "../core/json.ts";
import { InvalidOptionError } from "../errors.ts";
import { createDeferred, type Deferred } from "../runtime/deferred.ts";
import { onAbort } from "../runtime/on-abort.ts";
import { NondeterminismError, RunLeaseLostError, StepFailedError, WorkflowCancelledError } from "../error-workflow.ts";
import type { PassEnd, PassParts } from "./pass-parts.ts";
import { type Divergence, ReplayGate } from "./replay-gate.ts";
import { FAILURE_NAME } from "./run-failure.ts";
import { isPayloadFault, toStepError } from "./step-error.ts";
import { plainKey, type StepKey, versionedKey } from "./step-names.ts";
import { TimedWaits } from "./timed-waits.ts";
import { untilQuiet, untilThere } from "./until-quiet.ts";

/** How often code may ask for something new in a run that is to end, before it is left where it is. */
const MAX_REFUSALS = 10_000;
/** Branches that still compute get this many times the usual rest before the run is suspended. */
const REST_BEFORE_SUSPENSION = 8;

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
  /** Made for whoever asks for it: most steps do not. */
  #controller: AbortController | undefined;
  readonly #timed: TimedWaits;
  readonly #givenUp = createDeferred<never>();
  /** Functions of steps that run now, and calls of the store. */
  #working = 0;
  #isInStep = false;
  /** Of these, the steps that can be undone. */
  #undoable = 0;
  #undoableEnded: Deferred<void> | undefined;
  /** Why the run begins nothing new, since this pass. */
  #failure: TaskError | undefined;
  #refusals = 0;
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
    this.#timed = new TimedWaits(parts.clock);
    this.givenUp.catch(() => undefined);
    this.#gate = new ReplayGate(parts.steps, {
      onDivergence: (divergence) => this.#diverge(divergence),
      onIdle: () => this.considerSuspending(),
    });
  }

  /** Fires when the pass is over, whatever the reason. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isOver) this.#abort();
    }
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether earlier passes have been further: something they recorded, or wait for, was not asked for yet. */
  get isReplaying(): boolean {
    return this.#gate.isReplaying || [...this.#waits.keys()].some((name) => isOuter(name) && !this.#asked.has(name));
  }

  /** Rejects when code goes on asking for new things although the run is to end. */
  get givenUp(): Promise<never> {
    return this.#givenUp.promise;
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

  /** Leaves the code that calls it where it is; `wait` is stored when the pass suspends. */
  park(wait?: NewWait): Promise<never> {
    if (wait !== undefined) this.#newWaits.set(wait.step, wait);
    this.#haveParked += 1;
    this.#progress += 1;
    this.considerSuspending();
    return never();
  }

  /** The same until an instant: when that comes while the pass has still something to do, the code goes on. */
  parkUntil(at: Date, wait?: NewWait): Promise<void> {
    return new Promise((resolve) => {
      this.#timed.add(at, () => {
        if (wait !== undefined) this.#newWaits.delete(wait.step);
        this.#haveParked -= 1;
        this.#progress += 1;
        resolve();
      });
      void this.park(wait);
    });
  }

  /** Counts `work`, so that the pass is not suspended under it. The returned function ends it, once. */
  begin(isUndoable = false): () => void {
    this.#working += 1;
    if (isUndoable) this.#undoable += 1;
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      this.#working -= 1;
      if (isUndoable) this.#undoable -= 1;
      if (this.#undoable === 0) this.#undoableEnded?.resolve();
      this.considerSuspending();
    };
  }

  /** Calls the function of a step. */
  callStep<T>(run: () => T): T {
    this.#isInStep = true;
    try {
      return run();
    } finally {
      this.#isInStep = false;
    }
  }

  /** Throws when the function of a step calls what only the workflow's own code may: replays would not come by it. */
  checkOutside(): void {
    if (!this.#isInStep) return;
    throw new InvalidOptionError("step", "inside of a step", "called by the workflow's code, outside of its steps");
  }

  /** Begins nothing new any more, for `failure`; resolves when the steps that can be undone have ended. */
  async finishSteps(failure: TaskError): Promise<void> {
    this.#failure = failure;
    if (this.#undoable === 0) return;
    this.#undoableEnded = createDeferred();
    await this.#undoableEnded.promise;
    // Who ran them takes note of that first.
    await untilQuiet();
  }

  /**
   * Stores a checkpoint. Throws what is wrong with its value; when the run is no longer ours the pass is over, and this
   * never resolves.
   */
  async save(step: StepWrite, child?: Parameters<PassParts["store"]["saveStep"]>[2]["child"]): Promise<void> {
    const { store, claim, leaseDuration } = this.parts;
    await this.#store(async () => {
      const options = { leaseDuration, ...(child === undefined ? {} : { child }) };
      const { cancelRequested } = await store.saveStep(claim, step, options);
      this.#isToEnd ||= cancelRequested;
    });
  }

  /** Stores the end of the run, with its last step; otherwise as {@link WorkflowPass.save}. */
  async complete(result: JsonValue, step: StepWrite | undefined): Promise<void> {
    const { store, claim } = this.parts;
    await this.#store(() => store.markCompleted(claim, result, step));
  }

  /** Ends the pass for a fault that is not the workflow's. */
  fault(error: unknown): void {
    if (error instanceof RunLeaseLostError) this.finish({ kind: "lost" });
    else this.finish({ kind: "released", error: toStepError(error) });
  }

  finish(end: PassEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timed.clear();
    this.#end.resolve(end);
    this.#abort();
  }

  #abort(): void {
    this.#controller?.abort(this.parts.signal.reason ?? new RunLeaseLostError(this.parts.claim.runId));
  }

  /** Suspends the run once nothing runs, nothing is being replayed, and all code has come to rest. */
  considerSuspending(): void {
    if (this.#isOver || this.#haveParked === 0 || this.#isSettling) return;
    if (this.#working > 0) return this.#timed.arm();
    this.#isSettling = true;
    void this.#suspendWhenQuiet();
  }

  async #suspendWhenQuiet(): Promise<void> {
    let before: number;
    do {
      before = this.#progress;
      await untilThere(() => before !== this.#progress || this.#isOver, REST_BEFORE_SUSPENSION);
    } while (before !== this.#progress);
    this.#isSettling = false;
    if (this.#isOver || !this.#gate.isIdle) return;
    if (this.#working > 0) return this.#timed.arm();
    if (this.#haveParked === 0) return;
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

  /** A run that has failed, or is to be cancelled, begins nothing new. Throws what its code is told then. */
  checkGoingOn(): void {
    const { run } = this.parts;
    const failure = this.#history.get(FAILURE_NAME)?.error ?? this.#failure;
    if (failure === undefined && !this.#isToEnd) return;
    const reason = run.cancellationData?.["reason"];
    const refusal =
      failure === undefined
        ? new WorkflowCancelledError(run.runId, typeof reason === "string" ? reason : undefined)
        : new StepFailedError(FAILURE_NAME, failure.type, failure.message);
    this.#refusals += 1;
    // A loop that swallows this would go on for ever, and nothing else of this program with it.
    if (this.#refusals === MAX_REFUSALS) this.#givenUp.reject(refusal);
    throw refusal;
  }

  /** Carries out a change of the run; see {@link WorkflowPass.save} for faults. */
  async #store(change: () => Promise<void>): Promise<void> {
    if (this.#isOver) return never();
    const end = this.begin();
    try {
      await change();
    } catch (error) {
      if (isPayloadFault(error)) throw error;
      this.fault(error);
      return never();
    } finally {
      end();
    }
    if (this.#isOver) return never();
  }

  #diverge({ recorded, asked }: Divergence): void {
    const instead = asked === undefined ? "the code ends without it" : `the code asks for "${asked}"`;
    const finding = `"${recorded.name}" (${recorded.kind}) is recorded next, and ${instead}`;
    const step = asked === undefined ? recorded.name : (asked.split(",")[0] ?? asked);
    const error: TaskError = toStepError(new NondeterminismError(this.parts.definition.name, step, finding));
    this.finish({ kind: "failed", error: { ...error, retryable: false, meta: { ...error.meta, step, finding } } });
  }
}

/** Whether a checkpoint is one of the workflow's code, not of something inside of a step. */
function isOuter(name: string): boolean {
  return !name.includes("/", 1);
}

/** What a compensation waits for is asked for while the run is ending. */
function isOfCompensation(name: string): boolean {
  return name.includes("/compensation/");
}
