import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { InvalidOptionError, MultipleLinksError, NotAQueueDatabaseError } from "../../../src/errors.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { runChild } from "./node-child.ts";

const NOBODY = 65_534;

describe("the name of a database in a file", () => {
  it("is the real path, through links and detours, before and after the file is there", () => {
    const directory = useTempDirectory();
    mkdirSync(join(directory, "real"));
    symlinkSync("real", join(directory, "link"));
    const driver = nodeStorage({ directory });
    const expected = join(directory, "real", "jobs.sqlite");
    const names = ["link/jobs.sqlite", "real/../link/./jobs.sqlite", expected];
    for (const name of names) expect(driver.identify(name)).toBe(expected);
    expect(existsSync(expected)).toBe(false);
    writeFileSync(expected, "");
    symlinkSync("link/jobs.sqlite", join(directory, "jobs-link"));
    for (const name of [...names, "jobs-link"]) expect(driver.identify(name)).toBe(expected);
  });

  it("may lie in folders that do not exist, and creates none of them by being asked for", () => {
    const directory = useTempDirectory();
    const driver = nodeStorage({ directory });
    expect(driver.identify("a/b/jobs.sqlite")).toBe(join(directory, "a", "b", "jobs.sqlite"));
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ["a folder", (path: string) => mkdirSync(path)],
    ["a pipe", (path: string) => execFileSync("sh", ["-c", 'mkfifo "$0"', path])],
    ["a link to nowhere", (path: string) => symlinkSync("nowhere", path)],
    ["a link to itself", (path: string) => symlinkSync(basename(path), path)],
    ["a link to a device", (path: string) => symlinkSync("/dev/null", path)],
  ])("is refused for %s, before anything is made", async (_, make) => {
    const directory = useTempDirectory();
    make(join(directory, "jobs.sqlite"));
    const driver = nodeStorage({ directory });
    expect(() => driver.identify("jobs.sqlite")).toThrow(NotAQueueDatabaseError);
    await expect(driver.acquire("jobs.sqlite")).rejects.toThrow(NotAQueueDatabaseError);
    expect(readdirSync(directory)).toEqual(["jobs.sqlite"]);
  });

  it.each(["jobs.sqlite/", "/", ".", "..", "file/jobs.sqlite", "file/", "nowhere-link/jobs.sqlite"])(
    "is refused when it is %s: it leads to no plain file",
    (name) => {
      const directory = useTempDirectory();
      writeFileSync(join(directory, "file"), "");
      symlinkSync("nowhere", join(directory, "nowhere-link"));
      expect(() => nodeStorage({ directory }).identify(name)).toThrow(NotAQueueDatabaseError);
    },
  );

  it.each(["", "   ", "jobs\0.sqlite", "jobs-stemwal", "jobs-stemjournal", "x".repeat(225)])(
    "is refused as a bad option when it is %j",
    (name) => {
      expect(() => nodeStorage({ directory: useTempDirectory() }).identify(name)).toThrow(InvalidOptionError);
    },
  );

  it("is refused when the file has two hard links", async () => {
    const directory = useTempDirectory();
    writeFileSync(join(directory, "jobs.sqlite"), "");
    linkSync(join(directory, "jobs.sqlite"), join(directory, "other.sqlite"));
    await expect(nodeStorage({ directory }).acquire("other.sqlite")).rejects.toThrow(MultipleLinksError);
  });

  it("needs a folder option that can be a path", () => {
    expect(() => nodeStorage({ directory: "" })).toThrow(InvalidOptionError);
    expect(() => nodeStorage({ directory: "a\0b" })).toThrow(InvalidOptionError);
  });
});

describe("files made by the driver", () => {
  it("are for their user only, and so are new folders", async () => {
    const directory = useTempDirectory();
    const acquisition = await nodeStorage({ directory }).acquire("a/b/jobs.sqlite");
    if (acquisition.role !== "owner") return expect.unreachable();
    const { path } = acquisition.lease;
    for (const name of ["db", "wal", "journal"] as const) acquisition.lease.open(name);
    for (const suffix of ["", "-stemwal", "-stemjournal"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o700);
    const [socket] = readdirSync(`${path}.lock`);
    expect(statSync(join(`${path}.lock`, socket ?? "")).mode & 0o777).toBe(0o600);
    await acquisition.lease.release();
    expect(readdirSync(dirname(path)).toSorted()).toEqual([
      "jobs.sqlite",
      "jobs.sqlite-stemjournal",
      "jobs.sqlite-stemwal",
    ]);
  });

  it("never get the number of a standard stream", () => {
    const directory = useTempDirectory();
    const [answer] = runChild(`
      const { closeSync, readlinkSync } = await import("node:fs");
      const { lease } = await nodeStorage({ directory: ${JSON.stringify(directory)} }).acquire("jobs.sqlite");
      closeSync(0);
      lease.open("db").write(Uint8Array.of(1), 0);
      say(readlinkSync("/proc/self/fd/0"));
      await lease.release();`);
    expect(answer).toBe("/dev/null");
    expect(readFileSync(join(directory, "jobs.sqlite"))).toEqual(Buffer.of(1));
  });
});

describe("a database that cannot be written", () => {
  it.each([
    ["a read-only file", 0o444, 0o777],
    ["a read-only folder", 0o666, 0o555],
    ["a file that cannot be read", 0o222, 0o777],
    ["a folder that cannot be entered", 0o666, 0o666],
  ])("is reported when it is opened: %s", (_, fileMode, folderMode) => {
    const directory = anOpenFolder();
    const folder = join(directory, "folder");
    mkdirSync(folder);
    writeFileSync(join(folder, "jobs.sqlite"), "");
    chmodSync(join(folder, "jobs.sqlite"), fileMode);
    chmodSync(folder, folderMode);
    const lines = runAsNobody(`
      const driver = nodeStorage({ directory: ${JSON.stringify(folder)} });
      try { driver.identify("jobs.sqlite"); say("identified"); } catch (error) { say(error.code); }
      await driver.acquire("jobs.sqlite").catch(({ code, details }) => say(code, details.needs));`);
    expect(lines[0]).toBe("STEM_STORAGE_READ_ONLY");
    expect(lines[1]).toMatch(/^STEM_STORAGE_READ_ONLY permission to /);
  });

  it("is reported before it exists too", () => {
    const directory = anOpenFolder();
    mkdirSync(join(directory, "folder"), { mode: 0o555 });
    const lines = runAsNobody(`
      const driver = nodeStorage({ directory: ${JSON.stringify(join(directory, "folder"))} });
      await driver.acquire("a/jobs.sqlite").catch((error) => say(error.code));`);
    expect(lines).toEqual(["STEM_STORAGE_READ_ONLY"]);
  });

  it("is reported as busy when another user's process may own it", async () => {
    const directory = anOpenFolder();
    chmodSync(directory, 0o777);
    const path = join(directory, "jobs.sqlite");
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    const acquisition = await nodeStorage().acquire(path);
    if (acquisition.role !== "owner") return expect.unreachable();
    const lines = runAsNobody(`
      await nodeStorage().acquire(${JSON.stringify(path)}).catch((error) => say(error.code, error.details.owner));`);
    await acquisition.lease.release();
    if (process.getuid?.() === 0) expect(lines).toEqual(["STEM_DATABASE_BUSY a process of another user"]);
  });
});

function anOpenFolder(): string {
  const directory = useTempDirectory();
  chmodSync(directory, 0o755);
  return realpathSync(directory);
}

/** Permission bits do not bind root, so that root runs the program as a user without rights. */
function runAsNobody(body: string): readonly string[] {
  const isRoot = process.getuid?.() === 0;
  return runChild(body, isRoot ? { uid: NOBODY, gid: NOBODY, cwd: "/" } : {});
}
