import type { EnqueueOptions, TaskEnqueuer } from "../contracts/task-enqueuer.ts";
import type { RetryRequest, TaskContext } from "../contracts/task-handler.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import type { Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";
import { HEADER_NAMES } from "../core/reserved-keys.ts";
import { InvalidOptionError } from "../errors.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { lineageOf } from "./lineage.ts";
import { checkRetryRequest, RetrySignal } from "./retry-signal.ts";
import type { TaskRun } from "./task-run.ts";
import type { WorkerEvents } from "./worker-events.ts";

/** What the contexts of one worker share. */
export interface TaskContextParts {
  readonly events: WorkerEvents;
  readonly leases: LeaseKeeper;
  readonly enqueuer: TaskEnqueuer;
}

/** Builds what the handler of `run` sees. The functions need no `this`, so a handler may take the context apart. */
export function createTaskContext(run: TaskRun, parts: TaskContextParts): TaskContext {
  const { envelope, stop } = run;
  const { events, leases, enqueuer } = parts;
  const enqueue = (name: string, options: EnqueueOptions = {}): Promise<string> =>
    enqueuer.enqueue(name, asChild(envelope, options));
  return {
    id: envelope.id,
    name: envelope.name,
    queue: envelope.queue,
    attempt: envelope.attempt,
    deliveries: run.delivery.deliveries,
    fence: run.delivery.token,
    args: envelope.args,
    headers: envelope.headers,
    meta: envelope.meta,
    get signal() {
      return stop.signal;
    },
    heartbeat() {
      stop.check();
      events.emit({ type: "heartbeat", envelope });
    },
    async extendLease(by: Milliseconds) {
      stop.check();
      await leases.extend(run, checkDuration("by", by, { min: 1 }));
    },
    progress(fraction: number, data?: JsonObject) {
      stop.check();
      if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) {
        throw new InvalidOptionError("fraction", fraction, "a number from 0 to 1");
      }
      events.emit({ type: "progress", envelope, fraction, ...(data === undefined ? {} : { data }) });
    },
    retry(request: RetryRequest = {}): never {
      throw new RetrySignal(checkRetryRequest(request));
    },
    enqueue,
    spawn: enqueue,
  };
}

/**
 * Only lineage and trace context go from parent to child. Everything else of the parent, such as its group, its
 * limits or its expiry, is about the parent alone.
 */
function asChild(parent: Envelope, options: EnqueueOptions): EnqueueOptions {
  // What is not right about the options is the enqueuer's to say.
  if (options === null || typeof options !== "object") return options;
  const trace: Record<string, string> = {};
  for (const name of [HEADER_NAMES.traceparent, HEADER_NAMES.tracestate]) {
    const value = parent.headers[name];
    if (value !== undefined) trace[name] = value;
  }
  const { headers, meta } = options;
  const isTraced = Object.keys(trace).length > 0 && (headers === undefined || isRecord(headers));
  const isAdded = options.enqueueOptions?.addToParent !== false && (meta === undefined || isRecord(meta));
  return {
    ...options,
    ...(isTraced ? { headers: { ...trace, ...headers } } : {}),
    ...(isAdded ? { meta: { ...meta, ...lineageOf(parent, meta) } } : {}),
  };
}

function isRecord(value: unknown): boolean {
  return value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}
