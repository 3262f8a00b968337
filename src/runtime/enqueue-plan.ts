import type { EnqueueOptions } from "../contracts/task-enqueuer.ts";
import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import { buildEnvelope, type Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkDate } from "../core/options.ts";
import { META_KEYS } from "../core/reserved-keys.ts";
import { retryPolicyToJson } from "../core/retry-policy.ts";
import { resolveTaskOptions, type ResolvedTaskOptions } from "../core/task-options.ts";
import { PayloadNotSerializableError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";
import { checkEnqueueOptions, checkPlain, earliestStart, metaOfOptions, REQUEST_FIELDS } from "./enqueue-options.ts";

/** What a task's name decides about its messages, worked out once and used for each of them. */
export interface EnqueuePlan {
  readonly name: string;
  readonly handler: AnyTaskHandler | undefined;
  readonly options: ResolvedTaskOptions;
  readonly maxRetries: number;
  readonly meta: JsonObject;
}

/** Checks the name and resolves the handler's options. */
export function createEnqueuePlan(name: string, handler: AnyTaskHandler | undefined): EnqueuePlan {
  const options = resolveTaskOptions(handler?.options);
  return {
    name: checkName("task", name),
    handler,
    options,
    maxRetries: options.retryPolicy?.maxRetries ?? options.maxRetries,
    meta: metaOfTask(name, options.queue, options),
  };
}

function metaOfTask(name: string, queue: string, options: ResolvedTaskOptions): JsonObject {
  return Object.freeze({
    [META_KEYS.task]: name,
    [META_KEYS.queue]: queue,
    ...(options.retryPolicy === undefined ? {} : { [META_KEYS.retryPolicy]: retryPolicyToJson(options.retryPolicy) }),
  });
}

const EMPTY: Readonly<Record<string, never>> = Object.freeze({});

/** When the envelopes of one call are made; one `Date` for all of them. */
export interface EnqueueMoment {
  readonly now: number;
  readonly date: Date;
}

/** Builds the envelope of one request; throws a typed error for whatever in it is not right. */
export function envelopeOf(
  plan: EnqueuePlan,
  request: EnqueueOptions,
  nextId: () => string,
  moment: EnqueueMoment,
): Envelope {
  checkKnown("", request, REQUEST_FIELDS);
  const { headers, meta, options, notBefore, enqueueOptions } = request;
  const isPlain =
    headers === undefined &&
    meta === undefined &&
    options === undefined &&
    notBefore === undefined &&
    enqueueOptions === undefined;
  return isPlain ? plainEnvelope(plan, request.args, nextId(), moment) : fullEnvelope(plan, request, nextId, moment);
}

/** The usual case, on the hot path of bulk enqueues: all but the arguments was checked when the plan was made. */
function plainEnvelope(plan: EnqueuePlan, args: JsonObject | undefined, id: string, moment: EnqueueMoment): Envelope {
  const { options } = plan;
  const envelope = {
    id,
    name: plan.name,
    args: args === undefined ? EMPTY : checkArgs(args),
    headers: EMPTY,
    enqueuedAt: moment.date,
    priority: options.priority,
    attempt: 0,
    maxRetries: plan.maxRetries,
    queue: options.queue,
    meta: plan.meta,
  };
  const { visibilityTimeout } = options;
  return Object.freeze(visibilityTimeout === undefined ? envelope : { ...envelope, visibilityTimeout });
}

function checkArgs(args: JsonObject): JsonObject {
  if (args === null || typeof args !== "object" || Array.isArray(args)) {
    throw new PayloadNotSerializableError("args", "it must be an object with JSON values");
  }
  return args;
}

function fullEnvelope(
  plan: EnqueuePlan,
  request: EnqueueOptions,
  nextId: () => string,
  moment: EnqueueMoment,
): Envelope {
  const { enqueueOptions = EMPTY, options: call = {} } = request;
  checkEnqueueOptions(enqueueOptions);
  if (request.meta !== undefined) checkPlain("meta", request.meta);
  if (request.headers !== undefined) checkPlain("headers", request.headers);
  if (request.notBefore !== undefined) checkDate("notBefore", request.notBefore);
  const options = request.options === undefined ? plan.options : resolveTaskOptions(plan.handler?.options, call);
  const id = enqueueOptions.taskId ?? nextId();
  const queue = enqueueOptions.queue ?? options.queue;
  const notBefore = earliestStart(enqueueOptions, request.notBefore, moment.now);
  const base = options === plan.options && queue === options.queue ? plan.meta : metaOfTask(plan.name, queue, options);
  return buildEnvelope(
    {
      name: plan.name,
      ...(request.args === undefined ? {} : { args: checkArgs(request.args) }),
      ...(request.headers === undefined ? {} : { headers: request.headers }),
      enqueuedAt: moment.date,
      ...(notBefore === undefined ? {} : { notBefore }),
      priority: enqueueOptions.priority ?? options.priority,
      maxRetries: enqueueOptions.retryPolicy?.maxRetries ?? options.retryPolicy?.maxRetries ?? options.maxRetries,
      ...(options.visibilityTimeout === undefined ? {} : { visibilityTimeout: options.visibilityTimeout }),
      queue,
      meta: { ...base, ...request.meta, ...metaOfOptions(enqueueOptions, call, nextId, moment.now) },
    },
    id,
    moment.now,
  );
}
