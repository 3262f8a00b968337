import * as errors from "./errors.ts";
import { EngineError, StemError, type StemErrorFacts } from "./errors.ts";

/** An error as plain data, for channels that copy values. */
export interface ErrorDescription {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause?: string;
}

const CLASSES: ReadonlyMap<string, typeof StemError> = new Map(
  Object.values(errors)
    .filter((value): value is typeof StemError => typeof value === "function" && value.prototype instanceof StemError)
    .map((value) => [value.name, value]),
);

/** Describes any thrown value; what is not a `StemError` becomes an `EngineError`. */
export function describeError(error: unknown): ErrorDescription {
  const known = error instanceof StemError ? error : new EngineError(messageOf(error));
  const cause = known.cause ?? (known === error ? undefined : error);
  return {
    name: known.name,
    code: known.code,
    message: known.message,
    retryable: known.retryable,
    outcome: known.outcome,
    details: { ...known.details },
    ...(cause === undefined ? {} : { cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }),
  };
}

/** Makes the error again, of its own class, with the stack of the caller. */
export function reviveError(description: ErrorDescription): StemError {
  const facts: StemErrorFacts = {
    retryable: description.retryable,
    outcome: description.outcome === "unknown" ? "unknown" : "not-applied",
    details: description.details,
    ...(description.cause === undefined ? {} : { cause: description.cause }),
  };
  const error = new StemError(description.code as errors.StemErrorCode, description.message, facts);
  const known = CLASSES.get(description.name);
  if (known !== undefined) Object.setPrototypeOf(error, known.prototype);
  Object.defineProperty(error, "name", { value: description.name, enumerable: false, configurable: true });
  return error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
