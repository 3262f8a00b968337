import { MAX_CONTROL_ITEMS } from "../core/control-payloads.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkBoolean, checkDate, checkInteger, checkText } from "../core/options.ts";
import { InvalidOptionError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";

/** Whom to ask, and how long to wait for answers. */
export interface ControlRequestOptions {
  /** Ids of workers. @defaultValue every worker */
  readonly targets?: readonly string[];
  /** @defaultValue the `defaultTimeout` of the `WorkerControl` */
  readonly timeout?: Milliseconds;
  /** How many answers are enough. @defaultValue the number of `targets`; without those, as many as come in time */
  readonly expect?: number;
}

/** Names of the options of every request. */
export const REQUEST_OPTIONS = ["targets", "timeout", "expect"] as const;

/** A task to revoke, with facts of its own. */
export interface RevokeTarget {
  readonly taskId: string;
  /** Only a greater one replaces what is stored. @defaultValue `generateRevokeVersion` */
  readonly version?: number;
  readonly terminate?: boolean;
  readonly reason?: string;
  readonly requestedBy?: string;
  /** When the revocation ends by itself. */
  readonly expiresAt?: Date;
}

const TARGET_FIELDS: ReadonlySet<string> = new Set([
  "taskId",
  "version",
  "terminate",
  "reason",
  "requestedBy",
  "expiresAt",
]);

/** Checks whom to ask and how long to wait. */
export function waitOf(
  options: ControlRequestOptions,
  defaultTimeout: Milliseconds,
): { readonly targets: readonly string[] | undefined; readonly timeout: Milliseconds; readonly wanted: number } {
  const { timeout = defaultTimeout, expect } = options;
  const targets =
    options.targets === undefined
      ? undefined
      : [...new Set(listOf("targets", options.targets).map((id) => checkName("worker", id)))];
  if (expect !== undefined) checkInteger("expect", expect, { min: 1, max: targets?.length ?? MAX_CONTROL_ITEMS });
  checkDuration("timeout", timeout);
  return { targets, timeout, wanted: expect ?? targets?.length ?? Number.POSITIVE_INFINITY };
}

/** One item or a list of them, as a list that is not empty. */
export function itemsOf<T>(option: string, items: T | readonly T[]): readonly T[] {
  return Array.isArray(items) ? listOf(option, items as readonly T[]) : [items as T];
}

/** Checks reason and author. */
export function noteOf({ reason, requestedBy }: { readonly reason?: string; readonly requestedBy?: string }): {
  readonly reason: string | undefined;
  readonly requestedBy: string | undefined;
} {
  if (reason !== undefined) checkText("reason", reason);
  if (requestedBy !== undefined) checkText("requestedBy", requestedBy);
  return { reason, requestedBy };
}

/** Checks what is to be revoked and puts it in the form of a message; `nextVersion` fills in versions. */
export function revocationsOf(
  tasks: string | RevokeTarget | readonly (string | RevokeTarget)[],
  options: Omit<RevokeTarget, "taskId" | "version" | "expiresAt">,
  nextVersion: () => number,
  now: number,
): readonly JsonObject[] {
  const common = { ...noteOf(options), terminate: options.terminate === undefined ? false : options.terminate };
  checkBoolean("terminate", common.terminate);
  return itemsOf("tasks", tasks).map((item) => {
    const target = typeof item === "string" ? { taskId: item } : item;
    checkKnown("tasks", target, TARGET_FIELDS);
    const { taskId, version, terminate = common.terminate, expiresAt } = target;
    const { reason = common.reason, requestedBy = common.requestedBy } = target;
    noteOf({ ...(reason === undefined ? {} : { reason }), ...(requestedBy === undefined ? {} : { requestedBy }) });
    return {
      taskId: checkName("task id", taskId),
      version:
        version === undefined
          ? nextVersion()
          : checkInteger("version", version, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      issuedAt: new Date(now).toISOString(),
      terminate: checkBoolean("terminate", terminate),
      ...(reason === undefined ? {} : { reason }),
      ...(requestedBy === undefined ? {} : { requestedBy }),
      ...(expiresAt === undefined ? {} : { expiresAt: checkDate("expiresAt", expiresAt).toISOString() }),
    };
  });
}

/** `Array.from` visits holes as well, which `map` leaves out. */
function listOf<T>(option: string, items: readonly T[]): readonly T[] {
  if (!Array.isArray(items) || items.length === 0 || items.length > MAX_CONTROL_ITEMS) {
    throw new InvalidOptionError(option, items, `an array of 1 to ${MAX_CONTROL_ITEMS} items`);
  }
  return Array.from(items as readonly T[]);
}
