import { describeThrown, type ThrownFacts } from "../core/task-error.ts";
import { describeError, type ErrorDescription, reviveError } from "../error-transfer.ts";
import { StemError } from "../errors.ts";

/** Anything that was thrown, as data that can be copied to another thread. */
export interface PackedError {
  readonly facts: ThrownFacts;
  /** Present for errors of this library, which are made again of their own class. */
  readonly known?: ErrorDescription;
}

/** Packs whatever was thrown, an error or not. Never throws. */
export function packError(thrown: unknown): PackedError {
  const facts = describeThrown(thrown);
  return isStemError(thrown) ? { facts, known: describeError(thrown) } : { facts };
}

/** An error that tells of itself what the packed one did: the same type, message, code and stack, causes included. */
export function unpackError({ facts, known }: PackedError): Error {
  const error = known === undefined ? new Error(facts.message) : reviveError(known);
  const { code } = facts.meta;
  const own = {
    name: facts.type,
    stack: facts.stack ?? "",
    ...(typeof code === "string" ? { code } : {}),
  };
  for (const [key, value] of Object.entries(own)) {
    Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true });
  }
  return error;
}

function isStemError(thrown: unknown): boolean {
  try {
    return thrown instanceof StemError;
  } catch {
    // A proxy that does not even say what it is.
    return false;
  }
}
