import type { Clock, Timer } from "../contracts/clock.ts";
import type { IsolateExit } from "../contracts/isolate-host.ts";
import type { IsolatedFunction, TaskContext } from "../contracts/task-handler.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { JsonValue } from "../core/json.ts";
import { describeThrown } from "../core/task-error.ts";
import { IsolateError, UnsupportedEnvironmentError } from "../errors.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { IsolatePool, type IsolatePoolParts } from "./isolate-pool.ts";
import type { FromIsolate, IsolateCall, IsolatedTask } from "./isolate-protocol.ts";
import type { Isolate } from "./isolate.ts";
import { packError, unpackError } from "./packed-error.ts";
import { StopCell } from "./stop-cell.ts";
import type { TaskRun, TaskVerdict } from "./task-run.ts";

/** How long a handler that works for nothing, after a revocation or a lost lease, may take to notice. */
const FUTILE_GRACE_MS: Milliseconds = 5_000;

/** What an {@link IsolateRunner} works with. */
export interface IsolateRunnerParts extends Omit<IsolatePoolParts, "host"> {
  /** Absent in a runtime without threads. */
  readonly host: IsolatePoolParts["host"] | undefined;
  readonly clock: Clock;
}

/** One run in a thread. */
interface Session {
  readonly run: TaskRun;
  readonly target: IsolatedFunction;
  readonly context: TaskContext;
  readonly isolate: Isolate;
  readonly ended: Deferred<TaskVerdict>;
}

/** Runs handlers in threads of their own: what they do to their thread, they do to nobody else. */
export class IsolateRunner {
  readonly #clock: Clock;
  readonly #pool: IsolatePool | undefined;

  constructor({ host, clock, ...parts }: IsolateRunnerParts) {
    this.#clock = clock;
    this.#pool = host === undefined ? undefined : new IsolatePool({ host, ...parts });
  }

  /**
   * Runs the function to its end; `context` serves what it asks for. However the thread ends, the attempt has then
   * failed with `IsolateError`. Rejects when no thread can be started.
   */
  async run(run: TaskRun, target: IsolatedFunction, context: TaskContext): Promise<TaskVerdict> {
    if (this.#pool === undefined) throw new UnsupportedEnvironmentError("threads for isolated tasks");
    const isolate = take(this.#pool, run.envelope.name, target);
    const session = { run, target, context, isolate, ended: createDeferred<TaskVerdict>() };
    const stop = this.#watchStop(session, this.#pool);
    try {
      isolate.begin(
        { module: target.module, exportName: target.exportName, task: factsOf(run), stop: stop.cell.buffer },
        {
          onMessage: (message) => receive(session, message),
          onExit: (exit) => session.ended.resolve(failed(session, findingOf(exit, target), exit.fault)),
        },
      );
      return await session.ended.promise;
    } finally {
      stop.unwatch();
      this.#pool.giveBack(isolate);
    }
  }

  /** Ends all threads, with what runs in them; resolves when they have ended. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  /** Passes on what the run is told, and ends the thread by force where that is asked for. */
  #watchStop({ run, isolate }: Session, pool: IsolatePool): { readonly cell: StopCell; readonly unwatch: () => void } {
    const cell = new StopCell();
    const end = (): void => pool.end(isolate);
    let grace: Timer | undefined;
    run.endHandler = end;
    run.stop.watch(() => {
      cell.reason = run.stop.reason;
      cell.demanded = run.stop.demanded;
      isolate.post({ type: "stop", run: isolate.runs });
      if (run.isFutile) grace ??= this.#clock.schedule(end, FUTILE_GRACE_MS, { keepAlive: true });
    });
    const unwatch = (): void => {
      grace?.cancel();
      run.endHandler = undefined;
      run.stop.watch(undefined);
    };
    return { cell, unwatch };
  }
}

function take(pool: IsolatePool, taskName: string, { maxMemoryMb }: IsolatedFunction): Isolate {
  try {
    return pool.take(maxMemoryMb);
  } catch (cause) {
    throw new IsolateError(taskName, `got no thread: ${describeThrown(cause).message}`, cause);
  }
}

function factsOf({ envelope, delivery }: TaskRun): IsolatedTask {
  const { id, name, queue, attempt, args, headers, meta } = envelope;
  return { id, name, queue, attempt, deliveries: delivery.deliveries, fence: delivery.token, args, headers, meta };
}

/** A message that makes no sense was made up by the handler: its run fails, and nothing else does. */
function receive(session: Session, message: FromIsolate): void {
  try {
    onMessage(session, message);
  } catch (error) {
    session.ended.resolve(failed(session, "sent a message that cannot be understood", error));
    session.run.endHandler?.();
  }
}

function onMessage(session: Session, message: FromIsolate): void {
  const { run, context, ended } = session;
  switch (message.type) {
    case "heartbeat":
    case "progress":
      // The thread is about to see for itself that it has to stop.
      if (run.stop.demanded !== undefined) return;
      if (message.type === "heartbeat") context.heartbeat();
      else context.progress(message.fraction, message.data);
      return;
    case "call":
      void answer(session, message.call, message.request);
      return;
    case "succeeded":
      return ended.resolve({ kind: "succeeded", payload: JSON.parse(message.json) as JsonValue });
    case "retry":
      return ended.resolve({ kind: "retry", request: message.request });
    case "failed":
      return ended.resolve({ kind: "failed", thrown: unpackError(message.error) });
    case "unloadable": {
      const { finding, error } = message;
      ended.resolve(
        error === undefined
          ? failed(session, finding)
          : failed(session, `${finding}: ${error.facts.message}`, unpackError(error)),
      );
      // A thread loads a module once, also one that could not be loaded.
      run.endHandler?.();
      return;
    }
  }
}

async function answer({ context, isolate }: Session, call: number, request: IsolateCall): Promise<void> {
  const run = isolate.runs;
  try {
    if (request.method === "enqueue") {
      const value = await context.enqueue(request.name, request.options);
      isolate.post({ type: "reply", run, call, value });
    } else {
      await context.extendLease(request.by);
      isolate.post({ type: "reply", run, call });
    }
  } catch (error) {
    isolate.post({ type: "refusal", run, call, error: packError(error) });
  }
}

function failed({ run }: Session, finding: string, cause?: unknown): TaskVerdict {
  return { kind: "failed", thrown: new IsolateError(run.envelope.name, finding, cause) };
}

function findingOf({ code, fault, isOutOfMemory }: IsolateExit, { maxMemoryMb }: IsolatedFunction): string {
  if (isOutOfMemory) {
    return maxMemoryMb === undefined ? "ran out of memory" : `ran out of memory; its limit is ${maxMemoryMb} MiB`;
  }
  if (fault === undefined) return `ended its thread with exit code ${code}`;
  const { type, message } = describeThrown(fault);
  return `ended its thread by an uncaught ${type}: ${message}`;
}
