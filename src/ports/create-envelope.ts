import { buildEnvelope, type Envelope, type EnvelopeInit } from "../core/envelope.ts";
import { createUuidSource } from "../core/uuid.ts";
import { createSystemClock } from "./system-clock.ts";
import { systemRandomness } from "./system-randomness.ts";

const clock = createSystemClock();
const nextId = createUuidSource(
  () => clock.now(),
  (into) => systemRandomness.fill(into),
);

/** A new UUID version 7, sortable by the millisecond it was made in. */
export function generateEnvelopeId(): string {
  return nextId();
}

/**
 * Builds a checked, frozen envelope with a new id and the present time where none is given. Throws
 * `InvalidNameError`, `InvalidOptionError` or `PayloadNotSerializableError`.
 */
export function createEnvelope(init: EnvelopeInit): Envelope {
  return buildEnvelope(init, init?.id ?? nextId(), clock.now());
}
