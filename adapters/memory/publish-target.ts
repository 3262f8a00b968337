import type { PublishOptions } from "../../src/contracts/broker.ts";
import { buildEnvelope, encodeEnvelope, type Envelope } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkDate, checkOneOf } from "../../src/core/options.ts";
import type { RoutingInfo } from "../../src/core/routing.ts";
import { InvalidOptionError } from "../../src/errors.ts";

/** An envelope that passed every check, with the queue, or channel, and the priority it is published with. */
export interface PublishTarget {
  readonly kind: "queue" | "broadcast";
  readonly envelope: Envelope;
  /** The encoded envelope. */
  readonly text: string;
}

/** Checks and resolves what `publish` was given; throws before anything is stored. */
export function resolvePublishTarget(
  envelope: Envelope,
  routing: RoutingInfo | undefined,
  maxPayloadBytes: number,
): PublishTarget {
  if (envelope === null || typeof envelope !== "object") {
    throw new InvalidOptionError("envelope", envelope, "an envelope");
  }
  const resolved = buildEnvelope(
    {
      ...envelope,
      enqueuedAt: checkDate("enqueuedAt", envelope.enqueuedAt),
      priority: routing?.priority ?? envelope.priority,
      queue: destination(envelope, routing),
    },
    "",
    0,
  );
  return { kind: routing?.type ?? "queue", envelope: resolved, text: encodeEnvelope(resolved, maxPayloadBytes) };
}

function destination(envelope: Envelope, routing: RoutingInfo | undefined): string {
  if (routing === undefined) return checkName("queue", envelope.queue);
  if (routing === null || typeof routing !== "object") throw new InvalidOptionError("routing", routing, "a route");
  checkOneOf("routing.type", routing.type, ["queue", "broadcast"]);
  if (routing.type === "broadcast") return checkName("broadcast channel", trimmed(routing.broadcastChannel));
  return checkName("queue", trimmed(routing.queue ?? envelope.queue));
}

function trimmed(name: unknown): unknown {
  return typeof name === "string" ? name.trim() : name;
}

/** Checks `options` of `publish` and returns what to do about a taken id. */
export function resolveOnConflict(options: PublishOptions | undefined): "reject" | "replace-pending" {
  return checkOneOf("onConflict", options?.onConflict ?? "reject", ["reject", "replace-pending"]);
}
