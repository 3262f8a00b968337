import { InvalidNameError } from "../errors.ts";

const PLAIN_NAME = /^[A-Za-z0-9._:/@-]{1,200}$/;
const ANY_NAME = /^[\p{L}\p{N}\p{M}._:/@-]{1,200}$/u;

/**
 * Returns `value` when it can be a queue, task, namespace, task id or worker name: 1 to 200 letters, digits and
 * `. _ : / @ -`, in Unicode normal form C. Throws `InvalidNameError` otherwise; names are never altered.
 */
export function checkName(kind: string, value: unknown): string {
  if (typeof value !== "string") throw new InvalidNameError(kind, value, "must be a string");
  if (PLAIN_NAME.test(value)) return value;
  if (value.length === 0) throw new InvalidNameError(kind, value, "must not be empty");
  if (value.length > 200) throw new InvalidNameError(kind, value, "must not be longer than 200 characters");
  if (!ANY_NAME.test(value)) {
    throw new InvalidNameError(kind, value, "may hold letters, digits and the characters . _ : / @ - only");
  }
  if (value.normalize("NFC") !== value) throw new InvalidNameError(kind, value, "must be in Unicode normal form C");
  return value;
}

/** Whether {@link checkName} would take `value`. */
export function isName(value: unknown): boolean {
  if (typeof value !== "string") return false;
  return PLAIN_NAME.test(value) || (value.length <= 200 && ANY_NAME.test(value) && value.normalize("NFC") === value);
}
