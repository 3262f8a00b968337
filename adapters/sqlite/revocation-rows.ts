import type { RevokeEntry } from "../../src/contracts/revoke-store.ts";
import { stringifyJson } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkDate, checkInteger, checkText } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import type { RevocationRow } from "./operations/revocations.ts";
import { COUNT, parseStored } from "./status-json.ts";

/** Checks a revocation and makes its row; one without a namespace, as plain JavaScript may give it, gets the default. */
export function toRevocationRow(entry: RevokeEntry, defaultNamespace: string): RevocationRow {
  if (entry === null || typeof entry !== "object") throw new InvalidOptionError("entry", entry, "a revocation");
  const { reason, requestedBy, expiresAt } = entry;
  return {
    namespace: checkName("namespace", entry.namespace ?? defaultNamespace),
    taskId: checkName("task id", entry.taskId),
    version: checkInteger("version", entry.version, COUNT),
    issuedAt: checkDate("issuedAt", entry.issuedAt).getTime(),
    terminate: checkBoolean("terminate", entry.terminate) ? 1 : 0,
    reason: encodeText("reason", reason),
    requestedBy: encodeText("requestedBy", requestedBy),
    expiresAt: expiresAt === undefined ? null : checkDate("expiresAt", expiresAt).getTime(),
  };
}

/** Reads a stored revocation. */
export function toRevokeEntry(row: RevocationRow): RevokeEntry {
  return {
    namespace: row.namespace,
    taskId: row.taskId,
    version: row.version,
    issuedAt: new Date(row.issuedAt),
    terminate: row.terminate === 1,
    ...(row.reason === null ? {} : { reason: parseStored<string>(row.reason) }),
    ...(row.requestedBy === null ? {} : { requestedBy: parseStored<string>(row.requestedBy) }),
    ...(row.expiresAt === null ? {} : { expiresAt: new Date(row.expiresAt) }),
  };
}

/** JSON holds every JavaScript string; UTF-8 alone has no form for a lone surrogate. */
function encodeText(option: string, value: string | undefined): string | null {
  return value === undefined ? null : stringifyJson(checkText(option, value), option);
}
