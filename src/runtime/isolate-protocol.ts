import type { EnqueueOptions } from "../contracts/task-enqueuer.ts";
import type { RetryRequest } from "../contracts/task-handler.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import type { PackedError } from "./packed-error.ts";

/** What a thread is told of the task that it runs. */
export interface IsolatedTask {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly attempt: number;
  readonly deliveries: number;
  readonly fence: number;
  readonly args: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly meta: JsonObject;
}

/** What a handler asks of the worker's thread and waits for. */
export type IsolateCall =
  | { readonly method: "extendLease"; readonly by: Milliseconds }
  | { readonly method: "enqueue"; readonly name: string; readonly options: EnqueueOptions };

/** Messages to a thread. `run` numbers the runs of one thread: what belongs to an earlier one is left aside. */
export type ToIsolate =
  | {
      readonly type: "run";
      readonly run: number;
      readonly module: string;
      readonly exportName: string;
      readonly task: IsolatedTask;
      /** See `StopCell`. */
      readonly stop: SharedArrayBuffer;
    }
  /** Something was written into the stop cell. */
  | { readonly type: "stop"; readonly run: number }
  | { readonly type: "reply"; readonly run: number; readonly call: number; readonly value?: string }
  | { readonly type: "refusal"; readonly run: number; readonly call: number; readonly error: PackedError };

/** Messages from a thread. */
export type FromIsolate =
  | { readonly type: "heartbeat"; readonly run: number }
  | { readonly type: "progress"; readonly run: number; readonly fraction: number; readonly data?: JsonObject }
  | { readonly type: "call"; readonly run: number; readonly call: number; readonly request: IsolateCall }
  /** The result as JSON text: its rules were checked where it was made, as a copy is not what it was. */
  | { readonly type: "succeeded"; readonly run: number; readonly json: string }
  | { readonly type: "retry"; readonly run: number; readonly request: RetryRequest }
  | { readonly type: "failed"; readonly run: number; readonly error: PackedError }
  /** There is no such function: the thread is of no more use, since modules are loaded once. */
  | { readonly type: "unloadable"; readonly run: number; readonly finding: string; readonly error?: PackedError };
