import { buildEnvelope, type Envelope, type EnvelopeInit } from "../../src/core/envelope.ts";

let made = 0;

/** A valid envelope with an id of its own; equal arguments make equal messages apart from the id. */
export function anEnvelope(init: Partial<EnvelopeInit> = {}): Envelope {
  made += 1;
  return buildEnvelope({ name: "contract.task", ...init }, `message-${made}`, Date.UTC(2026, 0, 1));
}
