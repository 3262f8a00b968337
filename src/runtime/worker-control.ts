import type { Broker } from "../contracts/broker.ts";
import type { ControlAnswer } from "../core/control-message.ts";
import { controlChannel } from "../core/control-message.ts";
import type {
  InspectReply,
  PingReply,
  QueueChangeReply,
  QueueStatusReply,
  RevokeReply,
  ShutdownReply,
  StatsReply,
} from "../core/control-payloads.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkBoolean, checkOneOf } from "../core/options.ts";
import { ClosedError, InvalidOptionError } from "../errors.ts";
import { checkKnown, checkPort, resolvePorts, type RuntimePorts } from "./check-ports.ts";
import {
  type ControlRequestOptions,
  itemsOf,
  noteOf,
  REQUEST_OPTIONS,
  type RevokeTarget,
  revocationsOf,
  waitOf,
} from "./control-options.ts";
import { requestControl } from "./control-request.ts";
import type { ShutdownMode } from "./os-signals.ts";
import { generateRevokeVersion } from "./revoke-version.ts";

/** What a {@link WorkerControl} works with. The broker stays the caller's. */
export interface WorkerControlOptions extends Pick<RuntimePorts, "clock" | "ids" | "logger"> {
  /** The workers' broker, or one on the same messages; it needs broadcasts. */
  readonly broker: Broker;
  /**
   * The `heartbeatNamespace` of the workers.
   *
   * @defaultValue `"stem"`
   */
  readonly namespace?: string;
  /**
   * How long answers are waited for.
   *
   * @defaultValue `5_000`
   */
  readonly defaultTimeout?: Milliseconds;
}

/** Facts that go with a revocation or a pause, and are shown to whoever asks. */
export interface ControlNote {
  readonly reason?: string;
  readonly requestedBy?: string;
}

/** What one worker answered: `payload` when it did as it was told, `error` when it did not. */
export type ControlReply<Payload> = { readonly requestId: string; readonly workerId: string } & (
  | { readonly status: "ok"; readonly payload: Payload }
  | { readonly status: "error"; readonly error: string }
);

type Replies<Payload> = Promise<readonly ControlReply<Payload>[]>;

const KNOWN: ReadonlySet<string> = new Set(["broker", "namespace", "clock", "ids", "logger", "defaultTimeout"]);
const NOTE = ["reason", "requestedBy"] as const;

/**
 * Talks to workers through their broker. Commands are broadcasts: they reach the workers that run at this moment, at
 * most once each. A request resolves to the answers as soon as all targets, or `expect` workers, have answered, else
 * after the timeout, with those that came: nobody answering is an empty array, not an error.
 */
export class WorkerControl {
  readonly #broker: Broker;
  readonly #namespace: string;
  readonly #defaultTimeout: Milliseconds;
  readonly #ports: Required<RuntimePorts>;
  readonly #closing = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option. */
  constructor(options: WorkerControlOptions) {
    checkKnown("", options, KNOWN);
    const { broker, namespace = "stem", defaultTimeout = 5_000 } = options;
    this.#broker = checkPort("broker", broker, ["consume", "publish"]);
    if (!broker.capabilities?.supportsBroadcastFanout) {
      throw new InvalidOptionError("broker", broker, "a broker that has broadcasts");
    }
    this.#namespace = checkName("namespace", namespace);
    controlChannel(namespace);
    this.#defaultTimeout = checkDuration("defaultTimeout", defaultTimeout);
    this.#ports = resolvePorts(options);
  }

  /** Who is there. */
  async ping(options: ControlRequestOptions = {}): Replies<PingReply> {
    checkKnown("", options, new Set(REQUEST_OPTIONS));
    return this.#request("ping", {}, options);
  }

  /** Settings and counts. */
  async stats(options: ControlRequestOptions = {}): Replies<StatsReply> {
    checkKnown("", options, new Set(REQUEST_OPTIONS));
    return this.#request("stats", {}, options);
  }

  /** What runs at this moment, and, unless `includeRevoked` is false, which revocations are in force. */
  async inspect(options: ControlRequestOptions & { readonly includeRevoked?: boolean } = {}): Replies<InspectReply> {
    checkKnown("", options, new Set([...REQUEST_OPTIONS, "includeRevoked"]));
    const { includeRevoked = true } = options;
    checkBoolean("includeRevoked", includeRevoked);
    return this.#request("inspect", { includeRevoked }, options);
  }

  /**
   * Keeps tasks from starting and, with `terminate`, stops them where they run. Durable and for all workers where one
   * that is reached has a revoke store; the others remember it as long as they live.
   *
   * @param tasks ids, or entries whose own fields win over `options`.
   */
  async revoke(
    tasks: string | RevokeTarget | readonly (string | RevokeTarget)[],
    options: ControlRequestOptions & ControlNote & { readonly terminate?: boolean } = {},
  ): Replies<RevokeReply> {
    checkKnown("", options, new Set([...REQUEST_OPTIONS, ...NOTE, "terminate"]));
    const { clock } = this.#ports;
    const revocations = revocationsOf(tasks, options, () => generateRevokeVersion(clock), clock.now());
    return this.#request("revoke", { revocations }, options);
  }

  /**
   * Stops the work on queues: nothing more is claimed, what has not begun goes back uncounted, what runs ends. Durable
   * and for all workers where one that is reached has a revoke store.
   */
  async pauseQueue(
    queues: string | readonly string[],
    options: ControlRequestOptions & ControlNote = {},
  ): Replies<QueueChangeReply> {
    return this.#changeQueues("queue_pause", queues, options);
  }

  /** Takes up the work on queues that were paused. */
  async resumeQueue(
    queues: string | readonly string[],
    options: ControlRequestOptions & ControlNote = {},
  ): Replies<QueueChangeReply> {
    return this.#changeQueues("queue_resume", queues, options);
  }

  /** Which queues are paused. */
  async queueStatus(options: ControlRequestOptions = {}): Replies<QueueStatusReply> {
    checkKnown("", options, new Set(REQUEST_OPTIONS));
    return this.#request("queue_status", {}, options);
  }

  /** Has workers shut down; they answer before they begin. `mode` is `"warm"` by default. */
  async shutdown(options: ControlRequestOptions & { readonly mode?: ShutdownMode } = {}): Replies<ShutdownReply> {
    checkKnown("", options, new Set([...REQUEST_OPTIONS, "mode"]));
    const mode = options.mode === undefined ? "warm" : checkOneOf("mode", options.mode, ["warm", "soft", "hard"]);
    return this.#request("shutdown", { mode }, options);
  }

  /** Ends pending requests with `ClosedError`, refuses further ones, and gives back its consumers. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#pending);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #changeQueues(
    type: "queue_pause" | "queue_resume",
    queues: string | readonly string[],
    options: ControlRequestOptions & ControlNote,
  ): Replies<QueueChangeReply> {
    checkKnown("", options, new Set([...REQUEST_OPTIONS, ...NOTE]));
    const names = itemsOf("queues", queues).map((name) => checkName("queue", name));
    const { reason, requestedBy } = noteOf(options);
    const { clock } = this.#ports;
    const payload = {
      queues: names,
      // The same for all workers, so that they store one entry and not one each.
      version: generateRevokeVersion(clock),
      issuedAt: new Date(clock.now()).toISOString(),
      ...(reason === undefined ? {} : { reason }),
      ...(requestedBy === undefined ? {} : { requester: requestedBy }),
    };
    return this.#request(type, payload, options);
  }

  async #request<Payload>(type: string, payload: JsonObject, options: ControlRequestOptions): Replies<Payload> {
    const wait = waitOf(options, this.#defaultTimeout);
    if (this.#closing.signal.aborted) throw new ClosedError("The WorkerControl");
    const { clock, ids, logger } = this.#ports;
    const parts = { broker: this.#broker, namespace: this.#namespace, clock, ids, logger };
    const answered = requestControl({ type, payload, ...wait }, { ...parts, closing: this.#closing.signal });
    this.#pending.add(answered);
    try {
      return (await answered).map((answer) => toReply<Payload>(answer));
    } finally {
      this.#pending.delete(answered);
    }
  }
}

function toReply<Payload>({ requestId, workerId, status, payload, error }: ControlAnswer): ControlReply<Payload> {
  if (status === "error") return { requestId, workerId, status, error: error ?? "unknown" };
  return { requestId, workerId, status, payload: payload as Payload };
}
