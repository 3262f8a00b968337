import type { PublishOptions } from "../contracts/broker.ts";
import type { EnqueueOptions, TaskEnqueueOptions } from "../contracts/task-enqueuer.ts";
import type { Envelope } from "../core/envelope.ts";
import { type ResolvedRetryPolicy, resolveRetryPolicy } from "../core/retry-policy.ts";
import { queueRoute } from "../core/routing.ts";
import { InvalidOptionError } from "../errors.ts";

/** Further tries of a publish under a policy that does not say how many. */
export const PUBLISH_RETRIES = 3;
/** Delays between the tries of a publish whose task has no policy of its own. */
const PUBLISH_RETRY_POLICY = resolveRetryPolicy({ backoff: true, defaultDelay: 100, backoffMax: 5_000 });

/** How one enqueue hands its messages to the broker. */
export interface PublishSettings {
  /** Absent: a publish that fails is not tried again. */
  readonly retryPolicy?: ResolvedRetryPolicy;
  /** Absent where the broker's defaults will do. */
  readonly options?: PublishOptions;
}

const PLAIN: PublishSettings = Object.freeze({});

/** The settings of one request whose options were checked. */
export function publishSettingsOf({ enqueueOptions }: EnqueueOptions, { queue }: Envelope): PublishSettings {
  if (enqueueOptions === undefined) return PLAIN;
  const { exchange, routingKey } = enqueueOptions;
  const isRouted = exchange !== undefined || routingKey !== undefined;
  const routing = {
    ...(exchange === undefined ? {} : { exchange }),
    ...(routingKey === undefined ? {} : { routingKey }),
  };
  return settings(enqueueOptions, isRouted ? { routing: queueRoute(queue, routing) } : {});
}

/**
 * The settings of a bulk, which the broker stores in one call: `retry` and `onConflict` have to be the same in all
 * requests, and the retry policy is the first one's. Routes stay in the messages' meta.
 */
export function publishSettingsOfAll(requests: readonly EnqueueOptions[]): PublishSettings {
  const first = requests[0]?.enqueueOptions ?? {};
  for (const [index, { enqueueOptions }] of requests.entries()) {
    checkSame(index, "retry", first.retry ?? false, enqueueOptions?.retry ?? false);
    checkSame(index, "onConflict", first.onConflict ?? "reject", enqueueOptions?.onConflict ?? "reject");
  }
  return settings(first, {});
}

function settings({ retry, retryPolicy, onConflict }: TaskEnqueueOptions, route: PublishOptions): PublishSettings {
  const options: PublishOptions =
    onConflict === undefined || onConflict === "reject" ? route : { ...route, onConflict };
  const policy = retryPolicy === undefined ? PUBLISH_RETRY_POLICY : resolveRetryPolicy(retryPolicy);
  return {
    ...(retry === true ? { retryPolicy: policy } : {}),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
}

function checkSame(index: number, name: string, first: unknown, value: unknown): void {
  if (value === first) return;
  throw new InvalidOptionError(`requests[${index}].enqueueOptions.${name}`, value, "the same for all tasks of a bulk");
}
