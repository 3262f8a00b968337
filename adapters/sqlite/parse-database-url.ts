import { InvalidOptionError } from "../../src/errors.ts";

const MEMORY = ":memory:";
/** Two letters at least, so that `C:\queue.db` is a path. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;
const WINDOWS_DRIVE = /^\/[A-Za-z]:(?:[/\\]|$)/;

/**
 * The file that a `sqlite:` or `file:` URL, or a plain path, names; `":memory:"` for a database in memory. In a URL,
 * percent escapes are decoded and nothing is lower-cased; a plain path is returned as it is. Throws
 * `InvalidOptionError` for other schemes, for a URL with parameters or a fragment, and for what names no file.
 */
export function parseDatabaseUrl(url: string): string {
  if (typeof url !== "string" || url.trim() === "") throw invalid(url, "the name or URL of a database file");
  if (url === MEMORY) return MEMORY;
  const [prefix, scheme] = SCHEME.exec(url) ?? [];
  if (prefix === undefined || scheme === undefined) return url;
  const rest = url.slice(prefix.length);
  if (/[?#]/.test(rest))
    throw invalid(url, "without parameters and fragment (write %3F for ? and %23 for # in a name)");
  switch (scheme.toLowerCase()) {
    case "sqlite":
      return toPath(url, rest.startsWith("//") ? rest.slice(2) : rest);
    case "file":
      return toPath(url, rest.startsWith("//") ? withoutHost(url, rest.slice(2)) : rest);
    default:
      // The rest may hold a password, which has no place in a message.
      throw invalid(`${scheme}:...`, "a sqlite: or file: URL, or a path (write ./ before a file name with a colon)");
  }
}

/** `host/path` of a file URL; only this machine has files to open. */
function withoutHost(url: string, rest: string): string {
  const slash = rest.indexOf("/");
  const host = slash === -1 ? rest : rest.slice(0, slash);
  if (slash === -1 || (host !== "" && host.toLowerCase() !== "localhost")) {
    throw invalid(url, "a file: URL of this machine, such as file:///path/queue.db");
  }
  return rest.slice(slash);
}

function toPath(url: string, encoded: string): string {
  const decoded = decode(url, encoded);
  // `sqlite:///:memory:` has a slash that belongs to the URL's form, as `file:///C:/queue.db` does.
  if (decoded === MEMORY || decoded === `/${MEMORY}`) return MEMORY;
  const path = WINDOWS_DRIVE.test(decoded) ? decoded.slice(1) : decoded;
  if (path.trim() === "" || path === "/") throw invalid(url, "a URL that names a file");
  return path;
}

function decode(url: string, encoded: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(encoded);
  } catch {
    // The URIError says nothing that the option's message does not.
    throw invalid(url, "a URL with valid percent escapes");
  }
  if (decoded.includes("\0")) throw invalid(url, "a URL without an escaped zero byte");
  return decoded;
}

function invalid(url: unknown, allowed: string): InvalidOptionError {
  return new InvalidOptionError("url", url, allowed);
}
