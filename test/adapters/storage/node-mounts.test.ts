import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { programWithNodeStorage } from "./node-child.ts";

const canMount = spawnSync("sh", ["-c", "unshare --mount true"]).status === 0;

describe.runIf(canMount)("a file system of its own (needs the right to mount)", () => {
  it("that is full gives a typed error, keeps what is there, and goes on once there is room", () => {
    const lines = runOnMount(
      "mount -t tmpfs -o size=256k tmpfs .",
      `const { unlinkSync, writeFileSync } = await import("node:fs");
      const { lease } = await nodeStorage().acquire("jobs.sqlite");
      const file = lease.open("db");
      const page = new Uint8Array(4096).fill(7);
      file.write(page, 0);
      file.flush();
      try { for (;;) writeFileSync("ballast", page, { flag: "a" }); } catch (error) { say(error.code); }
      try { file.write(page, 4096); } catch (error) { say(error.code); }
      const into = new Uint8Array(4096);
      say(file.read(into, 0), into.every((byte) => byte === 7));
      unlinkSync("ballast");
      file.write(page, 4096);
      say(file.size());
      await lease.release();`,
    );
    expect(lines).toEqual(["ENOSPC", "STEM_STORAGE_FULL", "4096 true", "8192"]);
  });

  it("that is read-only is reported when the database is opened, to root too", () => {
    const lines = runOnMount(
      "mount --bind . . && mount -o remount,bind,ro .",
      `const driver = nodeStorage();
      for (const name of ["jobs.sqlite", "new.sqlite", "a/b/new.sqlite"]) {
        await driver.acquire(name).catch((error) => say(error.code));
      }`,
    );
    expect(lines).toEqual(["STEM_STORAGE_READ_ONLY", "STEM_STORAGE_READ_ONLY", "STEM_STORAGE_READ_ONLY"]);
  });
});

/** Runs a program in a fresh folder after `mount`, which only that program sees. */
function runOnMount(mount: string, body: string): readonly string[] {
  const folder = join(useTempDirectory(), "mounted");
  mkdirSync(folder);
  writeFileSync(join(folder, "jobs.sqlite"), "");
  const inside = `cd "$0" && ${mount} && cd "$0" && exec "$1" --input-type=module -e "$2"`;
  const argv = ["-c", 'exec unshare --mount sh -c "$@"', "sh", inside, folder, process.execPath];
  const { stdout, stderr, status } = spawnSync("sh", [...argv, programWithNodeStorage(body)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`The program ended with ${status}: ${stderr}`);
  return stdout.trim().split("\n");
}
