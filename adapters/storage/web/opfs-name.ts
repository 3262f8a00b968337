import { InvalidOptionError, NotAQueueDatabaseError } from "../../../src/errors.ts";

/** What file systems behind a browser take for one name, in bytes; the longest one of ours ends in `-stemjournal`. */
const NAME_LIMIT = 255 - 12;

/**
 * The one absolute path of a database, from the root of the origin's private file system. Names that do not start with
 * a slash are taken from `directory`. There are no links: two paths are two files.
 */
export function identifyOpfs(name: string, directory: string): string {
  checkText("file", name);
  if (name.endsWith("/")) throw new NotAQueueDatabaseError(name, "the path names a folder");
  const path = canonicalPath("file", name.startsWith("/") ? name : `${directory}/${name}`);
  if (path === "/") throw new NotAQueueDatabaseError(name, "the path names a folder");
  if (/-stem(wal|journal)$/.test(path)) {
    throw new InvalidOptionError("file", name, "a path that does not end in -stemwal or -stemjournal");
  }
  return path;
}

/** The absolute path of a folder. */
export function identifyOpfsFolder(directory: string): string {
  checkText("directory", directory);
  return canonicalPath("directory", directory);
}

function checkText(option: string, name: string): void {
  if (typeof name !== "string" || name.trim() === "") {
    throw new InvalidOptionError(option, name, "a path that is not empty");
  }
  // Some browsers have real files of these names, on file systems that would not tell them apart, or refuse them.
  if (/[\0\\]|\p{Surrogate}/u.test(name)) {
    throw new InvalidOptionError(option, name, "a path without backslashes, NUL characters and lone surrogates");
  }
}

function canonicalPath(option: string, path: string): string {
  const parts = path
    .normalize("NFC")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw new InvalidOptionError(option, path, "a path without ..");
    if (new TextEncoder().encode(part).length > NAME_LIMIT) {
      throw new InvalidOptionError(option, path, `a path whose parts take at most ${NAME_LIMIT} bytes each`);
    }
  }
  return `/${parts.join("/")}`;
}
