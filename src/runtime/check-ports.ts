import type { Clock } from "../contracts/clock.ts";
import type { IdSource, Randomness } from "../contracts/identity.ts";
import type { Logger } from "../contracts/logger.ts";
import { createUuidSource } from "../core/uuid.ts";
import { InvalidOptionError } from "../errors.ts";
import { consoleLogger } from "../ports/console-logger.ts";
import { createSystemClock } from "../ports/system-clock.ts";
import { systemRandomness } from "../ports/system-randomness.ts";

/** Where time, ids, randomness and log lines come from. Tests replace them; programs rarely do. */
export interface RuntimePorts {
  /** @defaultValue the machine's clock */
  readonly clock?: Clock;
  /** @defaultValue UUID version 7 from `clock` and `randomness` */
  readonly ids?: IdSource;
  /** @defaultValue the platform's */
  readonly randomness?: Randomness;
  /** @defaultValue warnings and errors to the console */
  readonly logger?: Logger;
}

/** Returns `value` when it has all of `methods`, else throws `InvalidOptionError`. */
export function checkPort<T>(option: string, value: T, methods: readonly (keyof T & string)[]): T {
  const isObject = value !== null && typeof value === "object";
  if (!isObject || methods.some((method) => typeof value[method] !== "function")) {
    throw new InvalidOptionError(option, value, `an object with ${methods.join(", ")}`);
  }
  return value;
}

/** Fills in and checks the ports. */
export function resolvePorts(given: RuntimePorts): Required<RuntimePorts> {
  const { clock = createSystemClock(), randomness = systemRandomness, logger = consoleLogger } = given;
  checkPort("clock", clock, ["now", "monotonic", "schedule"]);
  checkPort("randomness", randomness, ["number", "fill"]);
  checkPort("logger", logger, ["log"]);
  const { ids = idsFrom(clock, randomness) } = given;
  if (typeof ids !== "function") throw new InvalidOptionError("ids", ids, "a function that returns a new id");
  return { clock, randomness, logger, ids };
}

function idsFrom(clock: Clock, randomness: Randomness): IdSource {
  return createUuidSource(
    () => clock.now(),
    (into) => randomness.fill(into),
  );
}

/** Throws `InvalidOptionError` for the first field of `given` that is not in `known`; `path` goes before its name. */
export function checkKnown(path: string, given: unknown, known: ReadonlySet<string>): void {
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    throw new InvalidOptionError(path === "" ? "options" : path, given, "an object");
  }
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue;
    const value = (given as Record<string, unknown>)[name];
    throw new InvalidOptionError(path === "" ? name : `${path}.${name}`, value, `one of ${[...known].join(", ")}`);
  }
}
