import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { checkDatabase } from "../support/database-check.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const DEMO = resolve(import.meta.dirname, "../../dist/playground/demo/demo.js");
/** The table's rows: a name, at least two spaces, a number. */
const ROW = /^ {2}(\S.*?) {2,}(\d+)$/gm;

describe("torture/demo", () => {
  it("kills its worker half-way, loses nothing, and shows the same counts in every run", async () => {
    const folder = useTempDirectory();
    const { stdout } = await promisify(execFile)(process.execPath, [DEMO], {
      env: { ...process.env, STEM_DEMO_DIR: folder },
    });
    expect(stdout).toContain("was killed with SIGKILL in the middle of 4 jobs");
    expect(Object.fromEntries([...stdout.matchAll(ROW)].map(([, name, count]) => [name, Number(count)]))).toEqual({
      "enqueued and acknowledged": 300,
      succeeded: 295,
      "failed, now dead letters": 5,
      "ended only after a retry": 25,
      "given out again after the kill": 4,
      "still waiting": 0,
      lost: 0,
    });
    expect(stdout).toContain("Nothing was lost");
    expect(readdirSync(folder).sort()).toEqual(["demo_backend.sqlite", "demo_broker.sqlite"]);
    for (const file of readdirSync(folder)) expect(await checkDatabase(join(folder, file))).toEqual([]);
  });
});
