import { InvalidOptionError } from "../errors.ts";
import type { JsonObject } from "./json.ts";
import { checkName } from "./names.ts";
import { checkOneOf } from "./options.ts";

/** Where a message goes: to one queue, or to the present subscribers of a broadcast channel. */
export interface RoutingInfo {
  readonly type: "queue" | "broadcast";
  readonly queue?: string;
  readonly exchange?: string;
  readonly routingKey?: string;
  /** Overrides the envelope's priority. */
  readonly priority?: number;
  readonly broadcastChannel?: string;
  readonly delivery?: string;
  readonly meta: JsonObject;
}

/** Extra facts of a queue route. */
export interface QueueRouteOptions {
  readonly exchange?: string;
  readonly routingKey?: string;
  readonly priority?: number;
  readonly meta?: JsonObject;
}

/** A route to `queue`; surrounding blanks are trimmed, a blank name throws `InvalidNameError`. */
export function queueRoute(queue: string, options: QueueRouteOptions = {}): RoutingInfo {
  return { type: "queue", queue: checkName("queue", trimmed(queue)), meta: {}, ...options };
}

/** A route to every present subscriber of `channel`, at most once each. */
export function broadcastRoute(channel: string, options: Readonly<{ meta?: JsonObject }> = {}): RoutingInfo {
  return {
    type: "broadcast",
    broadcastChannel: checkName("broadcast channel", trimmed(channel)),
    delivery: "at-most-once",
    meta: options.meta ?? {},
  };
}

/** Checks a route that a caller made by hand; names are returned trimmed. */
export function checkRoute(routing: RoutingInfo): RoutingInfo {
  if (routing === null || typeof routing !== "object") throw new InvalidOptionError("routing", routing, "a route");
  checkOneOf("routing.type", routing.type, ["queue", "broadcast"]);
  if (routing.type === "broadcast") {
    return { ...routing, broadcastChannel: checkName("broadcast channel", trimmed(routing.broadcastChannel)) };
  }
  return routing.queue === undefined ? routing : { ...routing, queue: checkName("queue", trimmed(routing.queue)) };
}

/** What a consumer listens to. */
export interface RoutingSubscription {
  readonly queues?: readonly string[];
  readonly broadcastChannels?: readonly string[];
}

/** A checked subscription: names valid, without repeats, at least one of them. */
export interface ResolvedSubscription {
  readonly queues: readonly string[];
  readonly broadcastChannels: readonly string[];
}

/** Checks a subscription; one without queues and channels throws `InvalidOptionError`. */
export function resolveSubscription(subscription: RoutingSubscription): ResolvedSubscription {
  if (subscription === null || typeof subscription !== "object") {
    throw new InvalidOptionError("subscription", subscription, "an object with queues or broadcastChannels");
  }
  const queues = nameList("queues", "queue", subscription.queues);
  const broadcastChannels = nameList("broadcastChannels", "broadcast channel", subscription.broadcastChannels);
  if (queues.length === 0 && broadcastChannels.length === 0) {
    throw new InvalidOptionError("subscription", subscription, "at least one queue or broadcast channel");
  }
  return { queues, broadcastChannels };
}

function nameList(option: string, kind: string, names: readonly string[] | undefined): readonly string[] {
  if (names === undefined) return [];
  if (!Array.isArray(names)) throw new InvalidOptionError(option, names, "an array of names");
  // `Array.from` visits holes as well, which `map` leaves out.
  return [...new Set(Array.from(names, (name) => checkName(kind, trimmed(name))))];
}

function trimmed(name: unknown): unknown {
  return typeof name === "string" ? name.trim() : name;
}
