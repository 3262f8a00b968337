import { encodeEnvelope, type Envelope } from "../../../src/core/envelope.ts";

/** A message as a member sends it: encoded and checked. */
export interface StoredMessage {
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  /** Epoch milliseconds; 0 for at once. */
  readonly notBefore: number;
  readonly visibilityTimeout: number | null;
  readonly envelope: string;
}

/** Encodes a checked envelope for the owner. Throws when it cannot be stored, or takes more than it may. */
export function toStoredMessage(envelope: Envelope, maxPayloadBytes: number): StoredMessage {
  return {
    id: envelope.id,
    queue: envelope.queue,
    priority: envelope.priority,
    notBefore: envelope.notBefore?.getTime() ?? 0,
    // The column holds whole milliseconds; a lease is never shorter than asked for.
    visibilityTimeout: envelope.visibilityTimeout === undefined ? null : Math.ceil(envelope.visibilityTimeout),
    envelope: encodeEnvelope(envelope, maxPayloadBytes),
  };
}
