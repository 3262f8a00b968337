import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { StorageAcquisition } from "../../../src/contracts/storage-driver.ts";
import { DatabaseBusyError, DatabaseReplacedError } from "../../../src/errors.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

const WAL = Buffer.concat([Buffer.from("377f0682", "hex"), Buffer.alloc(28, 1)]);
const JOURNAL = Buffer.concat([Buffer.from("d9d505f920a163d7", "hex"), Buffer.alloc(504, 2)]);

describe("what an ordinary SQLite program left behind", () => {
  it.each([
    ["wal", WAL],
    ["journal", JOURNAL],
  ] as const)("is adopted: its %s, so that recovery finds it", async (name, bytes) => {
    const path = aDatabase();
    writeFileSync(`${path}-${name}`, bytes);
    writeFileSync(`${path}-shm`, "x");
    writeFileSync(`${path}-stem${name}`, "");
    await acquireAndRelease(path);
    expect(readFileSync(`${path}-stem${name}`)).toEqual(bytes);
    expect(existsSync(`${path}-${name}`)).toBe(false);
    expect(existsSync(`${path}-shm`)).toBe(false);
  });

  it("is left alone when it holds nothing, together with its index", async () => {
    const path = aDatabase();
    writeFileSync(`${path}-wal`, "");
    writeFileSync(`${path}-journal`, Buffer.alloc(512));
    writeFileSync(`${path}-shm`, "x");
    await acquireAndRelease(path);
    const files = ["jobs.sqlite", "jobs.sqlite-journal", "jobs.sqlite-shm", "jobs.sqlite-wal"];
    expect(readdirSync(join(path, "..")).toSorted()).toEqual(files);
  });

  it("is left alone when it is a database that happens to have such a name", async () => {
    const path = aDatabase();
    writeFileSync(`${path}-wal`, "SQLite format 3\0 and more");
    await acquireAndRelease(path);
    expect(existsSync(`${path}-stemwal`)).toBe(false);
  });

  it("is left alone beside a database without pages, to which it cannot belong", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    writeFileSync(`${path}-wal`, WAL);
    await acquireAndRelease(path);
    expect(readFileSync(`${path}-wal`)).toEqual(WAL);
  });

  it.each([
    ["wal", WAL],
    ["journal", JOURNAL],
  ] as const)(
    "is refused when there is a %s of ours too; nothing is touched and nothing stays locked",
    async (name, bytes) => {
      const path = aDatabase();
      writeFileSync(`${path}-${name}`, bytes);
      writeFileSync(`${path}-stem${name}`, "ours");
      await expect(acquireAndRelease(path)).rejects.toThrow(DatabaseReplacedError);
      expect(readFileSync(`${path}-${name}`)).toEqual(bytes);
      expect(readFileSync(`${path}-stem${name}`, "utf8")).toBe("ours");
      expect(existsSync(`${path}.lock`)).toBe(false);
    },
  );

  const lockProgram = `
import fcntl, os, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX, 512, 0x40000000)
print("locked", flush=True)
sys.stdin.read()`;

  it.runIf(process.platform === "linux")(
    "is not touched while that program still runs (needs /proc/locks)",
    async () => {
      const path = aDatabase();
      writeFileSync(`${path}-wal`, WAL);
      const holder = spawn("python3", ["-c", lockProgram, path], { stdio: ["pipe", "pipe", "inherit"] });
      onTestFinished(() => void holder.kill());
      await once(holder.stdout, "data");
      await expect(nodeStorage().acquire(path)).rejects.toThrow(DatabaseBusyError);
      expect(readFileSync(`${path}-wal`)).toEqual(WAL);
      const gone = once(holder, "exit");
      holder.stdin.end();
      await gone;
      await acquireAndRelease(path);
      expect(readFileSync(`${path}-stemwal`)).toEqual(WAL);
    },
  );
});

function aDatabase(): string {
  const path = join(useTempDirectory(), "jobs.sqlite");
  writeFileSync(path, "the pages");
  return path;
}

async function acquireAndRelease(path: string): Promise<void> {
  const acquisition: StorageAcquisition = await nodeStorage().acquire(path);
  if (acquisition.role !== "owner") return expect.unreachable();
  try {
    acquisition.lease.adoptLogs?.(() => undefined);
  } finally {
    await acquisition.lease.release();
  }
}
