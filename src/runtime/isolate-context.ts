import type { EnqueueOptions } from "../contracts/task-enqueuer.ts";
import type { RetryRequest, TaskContext } from "../contracts/task-handler.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { type JsonObject, stringifyJson } from "../core/json.ts";
import { ClosedError, InvalidOptionError, type StemError } from "../errors.ts";
import { checkCopied } from "./copied-options.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import type { FromIsolate, IsolateCall, ToIsolate } from "./isolate-protocol.ts";
import { unpackError } from "./packed-error.ts";
import { checkRetryRequest, RetrySignal } from "./retry-signal.ts";
import { StopCell } from "./stop-cell.ts";

type RunMessage = Extract<ToIsolate, { type: "run" }>;
type Answer = Extract<ToIsolate, { type: "reply" | "refusal" }>;

/** The thread's side of a run: what its handler sees, and how that reaches the worker's thread. */
export class IsolateContext {
  readonly #message: RunMessage;
  readonly #post: (message: FromIsolate) => void;
  readonly #stop: StopCell;
  readonly #controller = new AbortController();
  readonly #calls = new Map<number, Deferred<string | undefined>>();
  #demanded: StemError | undefined;
  #lastCall = 0;
  #isEnded = false;

  constructor(message: RunMessage, post: (message: FromIsolate) => void) {
    this.#message = message;
    this.#post = post;
    this.#stop = new StopCell(message.stop);
  }

  /** Like the context of a handler in the worker's own thread; a call made after the end rejects. */
  create(): TaskContext {
    const { run, task } = this.#message;
    const enqueue = async (name: string, options: EnqueueOptions = {}): Promise<string> => {
      checkCopied(options);
      return (await this.#call({ method: "enqueue", name, options })) ?? "";
    };
    const signal = (): AbortSignal => {
      this.observeStop();
      return this.#controller.signal;
    };
    return {
      ...task,
      get signal() {
        return signal();
      },
      heartbeat: () => {
        this.#check();
        this.#post({ type: "heartbeat", run });
      },
      extendLease: async (by: Milliseconds) => {
        this.#check();
        await this.#call({ method: "extendLease", by: checkDuration("by", by, { min: 1 }) });
      },
      progress: (fraction: number, data?: JsonObject) => {
        this.#check();
        if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) {
          throw new InvalidOptionError("fraction", fraction, "a number from 0 to 1");
        }
        if (data !== undefined) stringifyJson(data, "data");
        this.#post({ type: "progress", run, fraction, ...(data === undefined ? {} : { data }) });
      },
      retry: (request: RetryRequest = {}): never => {
        throw new RetrySignal(checkRetryRequest(request));
      },
      enqueue,
      spawn: enqueue,
    };
  }

  /** Fires the signal if the worker says so by now. */
  observeStop(): void {
    if (this.#controller.signal.aborted) return;
    const reason = this.#stop.reason;
    if (reason !== undefined) this.#controller.abort(reason);
  }

  /** Settles the call that waits for this answer. */
  receive(answer: Answer): void {
    const call = this.#calls.get(answer.call);
    this.#calls.delete(answer.call);
    if (answer.type === "reply") call?.resolve(answer.value);
    else call?.reject(unpackError(answer.error));
  }

  /** The handler has ended: checkpoints and calls fail from now on, and what still waits is told nothing more. */
  end(): void {
    this.#isEnded = true;
    this.#calls.clear();
  }

  #check(): void {
    this.observeStop();
    this.#demanded ??= this.#stop.demanded;
    if (this.#demanded !== undefined) throw this.#demanded;
    if (this.#isEnded) throw this.#overError();
  }

  #overError(): ClosedError {
    return new ClosedError(`The run of task "${this.#message.task.id}"`);
  }

  #call(request: IsolateCall): Promise<string | undefined> {
    if (this.#isEnded) throw this.#overError();
    const call = (this.#lastCall += 1);
    const answered = createDeferred<string | undefined>();
    this.#post({ type: "call", run: this.#message.run, call, request });
    this.#calls.set(call, answered);
    return answered.promise;
  }
}
