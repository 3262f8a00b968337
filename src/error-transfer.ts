import * as databaseErrors from "./error-database.ts";
import * as errors from "./errors.ts";
import * as workflowErrors from "./error-workflow.ts";
import { EngineError, showValue, StemError, type StemErrorFacts } from "./errors.ts";

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

/** By the names they are exported under: those that classes say they have do not survive minifiers. */
const CLASSES: ReadonlyMap<string, typeof StemError> = new Map(
  Object.entries({ ...errors, ...databaseErrors, ...workflowErrors }).filter(
    (entry): entry is [string, typeof StemError] =>
      typeof entry[1] === "function" && entry[1].prototype instanceof StemError,
  ),
);

/** Describes any thrown value; what is not a `StemError` becomes an `EngineError`. */
export function describeError(error: unknown): ErrorDescription {
  const known = isError(error) && error instanceof StemError ? error : new EngineError(messageOf(error));
  const cause = known.cause ?? (known === error ? undefined : error);
  return {
    name: known.name,
    code: known.code,
    message: known.message,
    retryable: known.retryable,
    outcome: known.outcome,
    details: { ...known.details },
    ...(cause === undefined ? {} : { cause: stackOf(cause) }),
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
  return isError(error) ? String(error.message) : textOf(error);
}

function stackOf(error: unknown): string {
  return isError(error) ? String(error.stack ?? error.message) : textOf(error);
}

/** False for a proxy that does not even say what it is. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/** A thrown text is a message as it is; anything else is shown without running its code. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : showValue(value);
}
