import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { thisHost } from "../../../adapters/storage/node-ownership-host.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { runChild } from "./node-child.ts";

/** Prints the calls that change or flush something, with paths relative to the folder. */
const PRINT_CALLS = `
  for (const call of ["fsyncSync", "fdatasyncSync", "unlinkSync", "renameSync", "rmSync"]) {
    const original = fs[call];
    fs[call] = (target, ...rest) => {
      const path = typeof target === "number" ? fs.readlinkSync("/proc/self/fd/" + target) : target;
      if (!path.includes(".lock")) say(call.replace("Sync", ""), relative(process.cwd(), path) || ".");
      return original(target, ...rest);
    };
  }
  syncBuiltinESMExports();`;

describe("the system calls of the node driver", () => {
  it("flush a file and its folder first, then the file's data alone", () => {
    const lines = runPatched(
      PRINT_CALLS,
      `const file = lease.open("db");
      file.write(Uint8Array.of(1), 0);
      file.flush();
      file.write(Uint8Array.of(2), 0);
      file.flush();`,
    );
    expect(lines).toEqual(["fsync jobs.sqlite", "fsync .", "fdatasync jobs.sqlite"]);
  });

  it("flush the folder of a file that was there too: its creator may have died before flushing", () => {
    const lines = runPatched(
      PRINT_CALLS,
      `lease.open("wal").close();
      lease.open("wal").flush();`,
    );
    expect(lines).toEqual(["fsync jobs.sqlite-stemwal", "fsync ."]);
  });

  it("flush the folder after a deletion, when asked to", () => {
    const lines = runPatched(
      PRINT_CALLS,
      `lease.open("wal").close();
      lease.delete("wal", { flush: false });
      lease.delete("wal", { flush: true });`,
    );
    expect(lines).toEqual(["unlink jobs.sqlite-stemwal", "unlink jobs.sqlite-stemwal", "fsync ."]);
  });

  it("flush the folder after the adoption of a log", () => {
    const directory = useTempDirectory();
    writeFileSync(join(directory, "jobs.sqlite"), "pages");
    writeFileSync(join(directory, "jobs.sqlite-wal"), Buffer.from("377f0682", "hex"));
    const lines = runPatched(PRINT_CALLS, "lease.adoptLogs(() => undefined);", { directory });
    expect(lines).toEqual(["rename jobs.sqlite-wal", "rm jobs.sqlite-shm", "fsync ."]);
  });

  it("flush a new content before it takes the place of the old one, and the folder after that", () => {
    const directory = useTempDirectory();
    writeFileSync(join(directory, "jobs.sqlite-stemnew"), "what a crash left");
    const lines = runPatched(
      PRINT_CALLS,
      `lease.open("db").write(Uint8Array.of(1), 0);
      lease.replace(Uint8Array.of(2));`,
      { directory },
    );
    expect(lines).toEqual([
      "unlink jobs.sqlite-stemnew",
      "fdatasync jobs.sqlite-stemnew",
      "rename jobs.sqlite-stemnew",
      "fsync .",
    ]);
  });

  it("flush the folder above each folder that they create", () => {
    const lines = runPatched(PRINT_CALLS, "", { file: "a/b/jobs.sqlite" });
    expect(lines).toEqual(["fsync a", "fsync ."]);
  });

  it("rename a leftover away before deleting it: its maker may be about to make it the lock", () => {
    const directory = useTempDirectory();
    const leftover = `jobs.sqlite.lock.${thisHost().tag}-0123456789abcdef`;
    mkdirSync(join(directory, leftover));
    const lines = runPatched(
      `for (const call of ["renameSync", "rmSync", "rmdirSync"]) {
        const original = fs[call];
        fs[call] = (path, ...rest) => {
          if (path.endsWith("-0123456789abcdef")) say(call);
          return original(path, ...rest);
        };
      }
      syncBuiltinESMExports();`,
      "",
      { directory },
    );
    expect(lines).toEqual(["renameSync"]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("go on after partial reads and writes, and after an interrupted read", () => {
    const lines = runPatched(
      "",
      `let interrupted = false;
      const { readSync, writeSync } = fs;
      fs.readSync = (fd, into, offset, length, at) => {
        interrupted = !interrupted;
        if (interrupted) throw Object.assign(new Error("interrupted"), { code: "EINTR" });
        return readSync(fd, into, offset, Math.min(length, 1000), at);
      };
      fs.writeSync = (fd, from, offset, length, at) => writeSync(fd, from, offset, Math.min(length, 700), at);
      syncBuiltinESMExports();
      const file = lease.open("db");
      const bytes = Uint8Array.from({ length: 10_001 }, (_, index) => index * 7);
      file.write(bytes, 3);
      const into = new Uint8Array(20_000);
      say(file.read(into, 3), Buffer.compare(into.subarray(0, 10_001), bytes));`,
    );
    expect(lines).toEqual(["10001 0"]);
  });

  it("report what failed with the call and the system's code", () => {
    const lines = runPatched(
      `const patched = ["writeSync", "readSync", "ftruncateSync", "fsyncSync", "fstatSync", "unlinkSync", "statSync"];
      for (const call of patched) {
        const original = fs[call];
        fs[call] = (...given) => {
          if (globalThis.broken) throw Object.assign(new Error("broken"), { code: globalThis.broken });
          return original(...given);
        };
      }
      syncBuiltinESMExports();`,
      `const file = lease.open("db");
      const calls = [
        () => file.write(Uint8Array.of(1), 0),
        () => file.read(new Uint8Array(1), 0),
        () => file.truncate(0),
        () => file.flush(),
        () => file.size(),
        () => lease.delete("wal", { flush: false }),
        () => lease.exists("db"),
        () => lease.verify(),
      ];
      for (const code of ["EIO", "EDQUOT"]) {
        globalThis.broken = code;
        for (const call of calls) {
          try {
            call();
            say("no error");
          } catch ({ code, details }) {
            say(code, details.call ?? "", details.osCode ?? "");
          }
        }
      }
      globalThis.broken = undefined;`,
    );
    const failed = ["write", "read", "ftruncate", "fsync", "fstat", "unlink", "stat", "fstat"];
    expect(lines).toEqual([
      ...failed.map((call) => `STEM_STORAGE_IO ${call} EIO`),
      ...failed.map(() => "STEM_STORAGE_FULL"),
    ]);
  });
});

/** Runs `body` with a fresh lease in a process whose `node:fs` was changed by `patch`, and gives what was printed. */
function runPatched(patch: string, body: string, where: { directory?: string; file?: string } = {}): readonly string[] {
  const { directory = useTempDirectory(), file = "jobs.sqlite" } = where;
  const lines = runChild(
    `const { default: fs } = await import("node:fs");
    const { relative } = await import("node:path");
    const { syncBuiltinESMExports } = await import("node:module");
    ${patch}
    const { lease } = await nodeStorage().acquire(${JSON.stringify(file)});
    ${body}
    await lease.release();`,
    { cwd: directory },
  );
  return lines.map((line) => line.trim());
}
