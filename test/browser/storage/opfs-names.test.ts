import { describe, expect, it } from "vitest";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import { InvalidOptionError, NotAQueueDatabaseError } from "../../../src/errors.ts";

describe("the name of a database in the private file system", () => {
  const { identify } = opfsStorage({ directory: "queues" });

  it.each([
    ["jobs.sqlite", "/queues/jobs.sqlite"],
    ["./jobs.sqlite", "/queues/jobs.sqlite"],
    ["sub//./jobs.sqlite", "/queues/sub/jobs.sqlite"],
    ["/jobs.sqlite", "/jobs.sqlite"],
    ["/queues/jobs.sqlite", "/queues/jobs.sqlite"],
    ["jo\u0308bs", "/queues/j\u00f6bs"],
    ["...", "/queues/..."],
    [" jobs ", "/queues/ jobs "],
  ])("%j is %j", (name, path) => {
    expect(identify(name)).toBe(path);
    expect(identify(path)).toBe(path);
  });

  it.each(["", " ", "..", "../jobs", "a/../jobs", "a\\b", "a\0b", "\ud800", "jobs-stemwal", "x/jobs-stemjournal"])(
    "%j is refused",
    (name) => expect(() => identify(name)).toThrow(InvalidOptionError),
  );

  it("is refused when a part of it is longer than file systems take", () => {
    expect(identify("ä".repeat(121))).toMatch(/^\/queues\/ä+$/);
    expect(() => identify("ä".repeat(122))).toThrow(InvalidOptionError);
    expect(() => identify(`${"d".repeat(300)}/jobs`)).toThrow(InvalidOptionError);
  });

  it.each(["jobs/", "/", "//", "/.", "sub/."])("%j names a folder", (name) => {
    const refused = name === "sub/." ? () => opfsStorage({ directory: "/" }).identify("/./") : () => identify(name);
    expect(refused).toThrow(NotAQueueDatabaseError);
  });

  it("starts in a folder of ours unless another one is given, which may be the root", () => {
    expect(opfsStorage().identify("jobs")).toBe("/stem-sqlite/jobs");
    expect(opfsStorage({ directory: "/" }).identify("jobs")).toBe("/jobs");
    expect(opfsStorage({ directory: "/a/./b/" }).identify("jobs")).toBe("/a/b/jobs");
    for (const directory of ["", "..", "a/../b", 7 as unknown as string]) {
      expect(() => opfsStorage({ directory })).toThrow(InvalidOptionError);
    }
  });
});
