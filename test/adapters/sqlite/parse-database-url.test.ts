import { describe, expect, it } from "vitest";
import { parseDatabaseUrl } from "../../../adapters/sqlite/parse-database-url.ts";
import { InvalidOptionError } from "../../../src/errors.ts";

const FILES: readonly (readonly [url: string, file: string])[] = [
  ["sqlite:///abs/path.db", "/abs/path.db"],
  ["sqlite://relative.db", "relative.db"],
  ["sqlite://Mixed-Case.DB", "Mixed-Case.DB"],
  ["sqlite://Dir/Sub/file.db", "Dir/Sub/file.db"],
  ["sqlite://./file.db", "./file.db"],
  ["sqlite://../file.db", "../file.db"],
  ["sqlite:file.db", "file.db"],
  ["sqlite:/abs/file.db", "/abs/file.db"],
  ["SQLITE:///abs/path.db", "/abs/path.db"],
  ["sqlite:///C:/queues/a.db", "C:/queues/a.db"],
  ["sqlite:///with%20space/%C3%A9.db", "/with space/é.db"],
  ["sqlite://what%3F%23.db", "what?#.db"],
  ["sqlite://100%25.db", "100%.db"],
  ["sqlite://user@host:80/a.db", "user@host:80/a.db"],
  ["file:///abs/a%20b.db", "/abs/a b.db"],
  ["file://localhost/abs/a.db", "/abs/a.db"],
  ["file:/abs/a.db", "/abs/a.db"],
  ["file:relative.db", "relative.db"],
  ["file:///C:/queues/a.db", "C:/queues/a.db"],
  ["file:///c:/a.db", "c:/a.db"],
  ["/abs/path.db", "/abs/path.db"],
  ["relative.db", "relative.db"],
  ["./odd:name.db", "./odd:name.db"],
  ["100%.db", "100%.db"],
  ["what?#.db", "what?#.db"],
  ["C:\\queues\\a.db", "C:\\queues\\a.db"],
  ["C:/queues/a.db", "C:/queues/a.db"],
  [":memory:", ":memory:"],
  ["sqlite::memory:", ":memory:"],
  ["sqlite://:memory:", ":memory:"],
  ["sqlite:///:memory:", ":memory:"],
  ["file::memory:", ":memory:"],
];

const REFUSED: readonly (readonly [url: unknown, because: string])[] = [
  ["", "it is empty"],
  ["  ", "it is blank"],
  [undefined, "it is no text"],
  [42, "it is no text"],
  ["postgres://host/db", "of its scheme"],
  ["http://host/a.db", "of its scheme"],
  ["odd:name.db", "of its scheme"],
  ["sqlite:", "it names no file"],
  ["sqlite://", "it names no file"],
  ["sqlite:///", "it names no file"],
  ["sqlite://%20", "it names no file"],
  ["file://", "it names no file"],
  ["file:///", "it names no file"],
  ["file://server/share/a.db", "the file is of another machine"],
  ["sqlite:///a.db?mode=ro", "of its parameter"],
  ["sqlite:///a.db?", "of its parameters"],
  ["file:///a.db?cache=shared", "of its parameter"],
  ["sqlite:///a.db#part", "of its fragment"],
  ["sqlite://bad%2", "of a broken escape"],
  ["sqlite://bad%FF.db", "its escapes are not UTF-8"],
  ["sqlite://zero%00.db", "of a zero byte"],
];

describe("parseDatabaseUrl", () => {
  it.each(FILES)("reads %s as %s", (url, file) => {
    expect(parseDatabaseUrl(url)).toBe(file);
  });

  it.each(REFUSED)("refuses %j, since %s", (url) => {
    expect(() => parseDatabaseUrl(url as string)).toThrowError(InvalidOptionError);
  });

  it("names the option, what it may be, and of another service's URL the scheme alone", () => {
    expect(() => parseDatabaseUrl("postgres://user:secret@host/db")).toThrowError(
      'Option "url" must be a sqlite: or file: URL, or a path (write ./ before a file name with a colon); ' +
        'got "postgres:...".',
    );
  });
});
