import type { DeadLetterEntry, Delivery } from "../../src/contracts/broker.ts";
import { checkEnvelope, copyEnvelope, decodeEnvelope, type Envelope } from "../../src/core/envelope.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { broadcastRoute, queueRoute, type RoutingInfo } from "../../src/core/routing.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { type DeadLetterRow, placeholderEnvelope, readEnvelope } from "./operations/dead-letters.ts";
import type { MessageRow } from "./operations/listings.ts";
import type { StoredDelivery } from "./operations/operation.ts";
import type { DeliveryRef } from "./operations/settle.ts";

/** The envelope, checked, as its route wants it: queue or channel, and priority when the route has one. */
export function routed(envelope: Envelope, routing: RoutingInfo | undefined): Envelope {
  const checked = checkEnvelope(envelope);
  if (routing === undefined) return checked;
  const queue = routing.type === "broadcast" ? routing.broadcastChannel : routing.queue;
  return copyEnvelope(checked, { queue: queue ?? envelope.queue, priority: routing.priority ?? envelope.priority });
}

/** Throws `MalformedEnvelopeError` when what is stored is no envelope. */
export function toDelivery(stored: StoredDelivery): Delivery {
  const envelope = decodeEnvelope(stored.envelope);
  if (stored.channel !== undefined) {
    const route = broadcastRoute(stored.channel);
    const { sequence = 0 } = stored;
    return { envelope, receipt: BROADCAST_RECEIPT, token: 0, deliveries: 1, leaseMs: 0, route, sequence };
  }
  return {
    envelope,
    receipt: `${stored.seq}:${stored.token}`,
    token: stored.token,
    deliveries: stored.deliveries,
    leaseExpiresAt: new Date(stored.leaseUntil),
    leaseMs: stored.leaseMs,
    route: queueRoute(envelope.queue),
  };
}

const BROADCAST_RECEIPT = "broadcast";
/** Without zeros in front: token 0 is that of a message which nobody holds. */
const RECEIPT = /^([1-9]\d{0,15}):([1-9]\d{0,15})$/;

/** Throws `InvalidOptionError` for what is no delivery; whether it is current is for the owner to say. */
export function checkDelivery(delivery: Delivery): Delivery {
  const { receipt, envelope }: Partial<Delivery> = delivery ?? {};
  const { id, queue }: Partial<Envelope> = envelope ?? {};
  if ([receipt, id, queue].some((text) => typeof text !== "string")) {
    throw new InvalidOptionError("delivery", delivery, "a delivery of this broker");
  }
  return delivery;
}

/** What names a delivery to the owner; `undefined` for a broadcast, which there is nothing to settle of. */
export function toDeliveryRef(delivery: Delivery): DeliveryRef | undefined {
  if (checkDelivery(delivery).receipt === BROADCAST_RECEIPT) return undefined;
  const [, seq, token] = RECEIPT.exec(delivery.receipt) ?? [];
  // A receipt that is not ours names no lease: the owner answers with LeaseLostError.
  const names = { id: delivery.envelope.id, queue: delivery.envelope.queue };
  return { seq: Number(seq ?? -1), token: Number(token ?? -1), ...names };
}

/** The envelope of a message, or what stands in for one that cannot be read. */
export function readStoredEnvelope(row: MessageRow, queue: string): Envelope {
  return readEnvelope(row) ?? placeholderEnvelope({ id: row.id, queue }, row.dueAt);
}

/** A dead letter; one whose envelope cannot be read keeps the stored text in `meta`. */
export function toDeadLetterEntry(row: DeadLetterRow): DeadLetterEntry {
  const envelope = readEnvelope(row);
  const meta = JSON.parse(row.meta) as JsonObject;
  return {
    envelope: envelope ?? placeholderEnvelope(row, row.deadAt),
    meta: envelope === undefined ? { ...meta, "stem.rawEnvelope": row.envelope } : meta,
    ...(row.reason === null ? {} : { reason: row.reason }),
    deadAt: new Date(row.deadAt),
  };
}
