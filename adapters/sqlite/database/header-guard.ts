/** The first 16 bytes of every SQLite file. */
const SQLITE_MAGIC = ascii("SQLite format 3\0");
/** What stands there instead while this library has the file open, so that no other program takes it for a database. */
const GUARD_MAGIC = ascii("stem-sqlite open");
/** What stands there while a copy is being imported: nobody takes the file for a database until all of it is there. */
const IMPORT_MAGIC = ascii("importing a copy");

/** Length of each. */
export const MAGIC_BYTES = 16;

/** What the first bytes of a file say about it. */
export type HeaderKind = "sqlite" | "guarded" | "unfinished" | "empty" | "other";

/** Tells what the start of a file is; `head` may be shorter than the header. */
export function headerKind(head: Uint8Array): HeaderKind {
  if (head.length === 0) return "empty";
  if (startsWith(head, SQLITE_MAGIC)) return "sqlite";
  if (isGuard(head)) return "guarded";
  return isUnfinished(head) ? "unfinished" : "other";
}

/** The bytes to put at offset 0 before, and while, a copy is written behind them. */
export function importMagic(): Uint8Array {
  return IMPORT_MAGIC.slice();
}

/** Whether a crash may have left this of the very first write to a file: some of its bytes, and zeros. */
export function isCutShort(head: Uint8Array): boolean {
  return head.every((byte, index) => byte === 0 || byte === GUARD_MAGIC[index]);
}

/** Turns what was read from byte offset `at` into what SQLite expects there. */
export function unmask(bytes: Uint8Array, at: number): void {
  if (at === 0 && isGuard(bytes)) bytes.set(SQLITE_MAGIC);
  else if (at > 0 && at < MAGIC_BYTES) bytes.set(SQLITE_MAGIC.subarray(at, Math.min(MAGIC_BYTES, at + bytes.length)));
}

/** A copy of what SQLite writes at offset 0, with the guard in the place of the magic. */
export function masked(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(GUARD_MAGIC.subarray(0, Math.min(MAGIC_BYTES, copy.length)));
  return copy;
}

/** The bytes to put at offset 0 to guard a file, or to give it back to other programs. */
export function magicFor(guarded: boolean): Uint8Array {
  return (guarded ? GUARD_MAGIC : SQLITE_MAGIC).slice();
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** A crash may tear the write that puts the guard on or takes it off: a mixture of both is still ours. */
function isGuard(bytes: Uint8Array): boolean {
  if (bytes.length < MAGIC_BYTES) return false;
  return GUARD_MAGIC.every((byte, index) => bytes[index] === byte || bytes[index] === SQLITE_MAGIC[index]);
}

/** A crash may tear the writes at the beginning and at the end of an import: something of its magic is there. */
function isUnfinished(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, MAGIC_BYTES);
  const isOurs = (byte: number, index: number): boolean =>
    byte === 0 || [IMPORT_MAGIC, SQLITE_MAGIC, GUARD_MAGIC].some((magic) => magic[index] === byte);
  return head.every(isOurs) && head.some((byte, index) => byte === IMPORT_MAGIC[index]);
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte);
}
