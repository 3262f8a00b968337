import type { BroadcastGap } from "../contracts/broker.ts";
import type { Milliseconds } from "../core/duration.ts";
import {
  type ControlAnswer,
  type ControlCommand,
  controlChannel,
  isMeantFor,
  readCommand,
  replyChannel,
  replyEnvelope,
  requestIdOf,
  workerChannel,
} from "../core/control-message.ts";
import type { Envelope } from "../core/envelope.ts";
import { broadcastRoute } from "../core/routing.ts";
import { ClosedError, InvalidNameError, InvalidOptionError } from "../errors.ts";
import { type ControlledWorker, type ControlOutcome, runControlCommand } from "./control-commands.ts";
import { DeliveryLoop } from "./delivery-loop.ts";
import { sleep } from "./sleep.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

/** How long a shutdown waits for answers to be sent. */
const ANSWER_PATIENCE_MS: Milliseconds = 1_000;

/** What a {@link WorkerControlListener} works with. */
export interface WorkerControlListenerParts {
  readonly options: ResolvedWorkerOptions;
  readonly worker: ControlledWorker;
  readonly onGap: (gap: BroadcastGap) => void;
  readonly onError: (during: string, error: unknown) => void;
}

/** Takes a worker's commands from its control channels and answers them. No command can bring the worker down. */
export class WorkerControlListener {
  readonly #parts: WorkerControlListenerParts;
  readonly #loop: DeliveryLoop;
  readonly #handling = new Set<Promise<void>>();

  constructor(parts: WorkerControlListenerParts) {
    this.#parts = parts;
    const { broker, clock, consumerName, heartbeatNamespace } = parts.options;
    const broadcastChannels = [controlChannel(heartbeatNamespace), workerChannel(heartbeatNamespace, consumerName)];
    this.#loop = new DeliveryLoop({
      clock,
      consume: () =>
        broker.consume(
          { broadcastChannels },
          { prefetch: 1, consumerName: `${consumerName}-control`, onGap: parts.onGap },
        ),
      onDelivery: ({ envelope }) => this.#onCommand(envelope),
      onError: (error) => {
        // Of a closed broker the worker hears from its other consumer.
        if (!(error instanceof ClosedError)) parts.onError("taking control commands", error);
      },
      room: () => undefined,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Takes nothing more. Resolves when the commands at hand are answered, or a broker that hangs has had its time. */
  stop(): Promise<void> {
    return this.#patiently(this.#loop.stop().then(() => Promise.all(this.#handling)));
  }

  #onCommand(envelope: Envelope): void {
    const handling = this.#handle(envelope)
      .catch((error: unknown) => this.#parts.onError("answering a control command", error))
      .finally(() => this.#handling.delete(handling));
    this.#handling.add(handling);
  }

  async #handle(envelope: Envelope): Promise<void> {
    let command: ControlCommand;
    try {
      command = readCommand(envelope);
    } catch (error) {
      const requestId = requestIdOf(envelope);
      if (requestId === undefined) return this.#parts.onError("reading a control command", error);
      return this.#reply(requestId, failure(error));
    }
    if (!isMeantFor(command, this.#parts.options.consumerName)) return;
    const outcome = await this.#outcomeOf(command);
    if ("error" in outcome) return this.#reply(command.requestId, outcome);
    await this.#conclude(command.requestId, outcome);
  }

  async #outcomeOf(command: ControlCommand): Promise<ControlOutcome | Failure> {
    try {
      return (
        (await runControlCommand(command, this.#parts.worker)) ?? { status: "error", payload: {}, error: "unknown" }
      );
    } catch (error) {
      const isCallersFault = error instanceof InvalidOptionError || error instanceof InvalidNameError;
      if (!isCallersFault) this.#parts.onError(`the control command "${command.type}"`, error);
      return failure(error);
    }
  }

  /** The answer first, since what follows may be the end; but the end does not depend on it. */
  async #conclude(requestId: string, { payload, afterwards }: ControlOutcome): Promise<void> {
    const sent = this.#reply(requestId, { status: "ok", payload });
    if (afterwards !== undefined) {
      await this.#patiently(sent);
      afterwards();
    }
    await sent;
  }

  /** Waits for the end of `work`, good or bad, but not for ever. */
  async #patiently(work: Promise<unknown>): Promise<void> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    await Promise.race([work.then(end, end), sleep(this.#parts.options.clock, ANSWER_PATIENCE_MS, ended.signal)]);
  }

  async #reply(requestId: string, answer: Omit<ControlAnswer, "requestId" | "workerId">): Promise<void> {
    const { broker, clock, ids, consumerName, heartbeatNamespace } = this.#parts.options;
    const channel = replyChannel(heartbeatNamespace, requestId);
    const reply = replyEnvelope({ requestId, workerId: consumerName, ...answer }, channel, ids(), clock.now());
    await broker.publish(reply, { routing: broadcastRoute(channel) });
  }
}

type Failure = Pick<ControlAnswer, "payload"> & { readonly status: "error"; readonly error: string };

function failure(error: unknown): Failure {
  return { status: "error", payload: {}, error: error instanceof Error ? error.message : String(error) };
}
