import type { Broker, Consumer } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { IdSource } from "../contracts/identity.ts";
import type { Logger } from "../contracts/logger.ts";
import {
  commandEnvelope,
  type ControlAnswer,
  type ControlCommand,
  controlChannel,
  readReply,
  replyChannel,
  workerChannel,
} from "../core/control-message.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { Envelope } from "../core/envelope.ts";
import { broadcastRoute } from "../core/routing.ts";
import { ClosedError } from "../errors.ts";
import { createDeferred } from "./deferred.ts";
import { onAbort } from "./on-abort.ts";

/** What a request works with. */
export interface ControlRequestParts {
  readonly broker: Broker;
  readonly namespace: string;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Fires when nobody waits for answers any more. */
  readonly closing: AbortSignal;
}

/** One command and how long to wait for which answers. */
export interface ControlRequest {
  readonly type: string;
  readonly payload: ControlCommand["payload"];
  /** Worker ids; absent for every worker. */
  readonly targets: readonly string[] | undefined;
  /** Answers after which nothing more is waited for. */
  readonly wanted: number;
  readonly timeout: Milliseconds;
}

/**
 * Sends a command and gathers the answers, one per worker: until `wanted` have come, else until the timeout. Rejects
 * with what keeps it from sending or listening, and with `ClosedError` when `closing` fires.
 */
export async function requestControl(request: ControlRequest, parts: ControlRequestParts): Promise<ControlAnswer[]> {
  const { broker, namespace, clock, ids, logger, closing } = parts;
  const { type, payload, targets, timeout } = request;
  const requestId = ids();
  const replies = replyChannel(namespace, requestId);
  const [only] = targets ?? [];
  const channel =
    only !== undefined && targets?.length === 1 ? workerChannel(namespace, only) : controlChannel(namespace);
  const command = { requestId, type, targets: targets ?? ["*"], payload, timeoutMs: timeout };
  const envelope = commandEnvelope(command, channel, clock.now());
  const consumer = broker.consume(
    { broadcastChannels: [replies] },
    {
      consumerName: `control-${requestId}`.slice(0, 200),
      onGap: (gap) => logger.log("warn", "Answers of workers were missed.", { ...gap }),
    },
  );
  const ended = createDeferred<void>();
  const answers = new Map<string, ControlAnswer>();
  // Present before the command is sent: an answer may come at once.
  gather(consumer, request, answers, logger).then(ended.resolve, ended.reject);
  const timer = clock.schedule(() => ended.resolve(), timeout, { keepAlive: true });
  const forget = onAbort(closing, () => ended.reject(new ClosedError("The WorkerControl")));
  try {
    await Promise.race([broker.publish(envelope, { routing: broadcastRoute(channel) }), ended.promise]);
    await ended.promise;
  } finally {
    timer.cancel();
    forget();
    // When sending failed, nobody is there for how listening ends.
    ended.promise.catch(() => undefined);
    await release(consumer, logger);
  }
  return [...answers.values()];
}

async function gather(
  consumer: Consumer,
  { targets, wanted }: ControlRequest,
  answers: Map<string, ControlAnswer>,
  logger: Logger,
): Promise<void> {
  while (answers.size < wanted) {
    const { done, value } = await consumer.next();
    if (done === true) throw new ClosedError("The broker's consumer");
    const answer = read(value.envelope, logger);
    if (answer === undefined || answers.has(answer.workerId)) continue;
    if (targets === undefined || targets.includes(answer.workerId)) answers.set(answer.workerId, answer);
  }
}

function read(envelope: Envelope, logger: Logger): ControlAnswer | undefined {
  try {
    return readReply(envelope);
  } catch (error) {
    logger.log("warn", "A malformed answer of a worker was left aside.", { error });
    return undefined;
  }
}

async function release(consumer: Consumer, logger: Logger): Promise<void> {
  try {
    await consumer.return();
  } catch (error) {
    logger.log("warn", "The end of a request could not be told to the broker.", { error });
  }
}
