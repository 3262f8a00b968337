import { linkSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { StorageLease } from "../../../src/contracts/storage-driver.ts";
import { DatabaseReplacedError, MultipleLinksError } from "../../../src/errors.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

describe("verification of an open database", () => {
  it.each([
    ["was deleted", unlinkSync],
    ["was moved away", (path: string) => renameSync(path, `${path}.moved`)],
    [
      "was replaced",
      (path: string) => {
        renameSync(path, `${path}.moved`);
        writeFileSync(path, "x");
      },
    ],
    [
      "was replaced by a folder",
      (path: string) => {
        renameSync(path, `${path}.moved`);
        mkdirSync(path);
      },
    ],
    [
      "was deleted, and another file has its name",
      (path: string) => {
        writeFileSync(`${path}.new`, "x");
        renameSync(`${path}.new`, path);
      },
    ],
    ["lost its lock", (path: string) => rmSync(`${path}.lock`, { recursive: true })],
  ])("finds out that it %s", async (what, tamper) => {
    const finding = /^was (deleted|moved away|replaced)|^lost its lock/.exec(what)?.[0] ?? what;
    const lease = await own(useTempDirectory());
    const file = lease.open("db");
    file.write(Uint8Array.of(1), 0);
    lease.verify();
    tamper(lease.path);
    expect(() => lease.verify()).toThrow(DatabaseReplacedError);
    expect(() => lease.verify()).toThrow(finding);
    await lease.release();
  });

  it("accepts that it was moved and moved back", async () => {
    const lease = await own(useTempDirectory());
    lease.open("db");
    renameSync(lease.path, `${lease.path}.moved`);
    renameSync(`${lease.path}.moved`, lease.path);
    lease.verify();
    await lease.release();
  });

  it("refuses a file that got a second link between the acquisition and the opening", async () => {
    const lease = await own(useTempDirectory());
    writeFileSync(lease.path, "");
    linkSync(lease.path, `${lease.path}.second`);
    expect(() => lease.open("db")).toThrow(MultipleLinksError);
    await lease.release();
  });
});

async function own(directory: string): Promise<StorageLease> {
  const acquisition = await nodeStorage({ directory }).acquire("jobs.sqlite");
  return acquisition.role === "owner" ? acquisition.lease : expect.unreachable();
}
