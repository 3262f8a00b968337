import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runCommandLine } from "../../../adapters/entry/command-line.ts";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import { createEnvelope } from "../../../src/index.ts";
import { readForeign } from "../../support/foreign-reader.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

const CLI = resolve(import.meta.dirname, "../../../dist/package/cli.js");

let folder: string;
const at = (name: string): string => join(folder, name);

async function run(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  const lines: Record<"out" | "error", string[]> = { out: [], error: [] };
  const code = await runCommandLine(words, {
    out: (line) => void lines.out.push(line),
    error: (line) => void lines.error.push(line),
  });
  return { code, out: lines.out.join("\n"), error: lines.error.join("\n") };
}

beforeEach(async () => {
  folder = useTempDirectory();
  const broker = await SqliteBroker.open(at("jobs.sqlite"));
  await broker.publish(createEnvelope({ name: "mail" }));
  await broker.close();
});

describe("the command line", () => {
  it("exports a copy that another SQLite program reads, and imports it", async () => {
    expect(await run("export", at("jobs.sqlite"), at("copy.db"))).toMatchObject({ code: 0, error: "" });
    expect(readForeign(readFileSync(at("copy.db")))("select count(*) from queue_jobs")).toEqual([[1]]);
    expect(await run("import", at("copy.db"), at("second.sqlite"))).toMatchObject({ code: 0, error: "" });
    const broker = await SqliteBroker.open(at("second.sqlite"));
    expect(await broker.pendingCount("default")).toBe(1);
    await broker.close();
  });

  it("exports while another process owns the database", () => {
    const script = `
      import { SqliteBroker } from ${JSON.stringify(resolve(CLI, "../node.js"))};
      import { promisify } from "node:util";
      import { execFile } from "node:child_process";
      const broker = await SqliteBroker.open(process.argv[1]);
      await promisify(execFile)(process.execPath, [${JSON.stringify(CLI)}, "export", process.argv[1], process.argv[2]]);
      await broker.close();
    `;
    const words = ["--input-type=module", "-e", script, at("jobs.sqlite"), at("copy.db")];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readForeign(readFileSync(at("copy.db")))("pragma integrity_check")).toEqual([["ok"]]);
  });

  it.each<[string, string[], string]>([
    ["an existing copy", ["export", "jobs.sqlite", "text"], 'EEXIST: "'],
    ["a file that is not there", ["export", "nothing", "copy.db"], "ENOENT: There is no file"],
    ["a file that is no queue", ["export", "text", "copy.db"], "STEM_NOT_A_QUEUE_DATABASE: "],
    ["a copy that is not there", ["import", "nothing", "new.sqlite"], "ENOENT: "],
    ["a copy that is none", ["import", "text", "new.sqlite"], "STEM_NOT_A_QUEUE_DATABASE: "],
    ["an existing database", ["import", "jobs.sqlite", "jobs.sqlite"], "STEM_DATABASE_EXISTS: "],
  ])("refuses %s, and leaves all files as they were", async (_label, [command = "", ...names], start) => {
    writeFileSync(at("text"), "dear diary");
    const before = readFileSync(at("jobs.sqlite"));
    const { code, out, error } = await run(command, ...names.map(at));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error.startsWith(start), error).toBe(true);
    expect(error).toMatch(/^[^\n]+\.$/);
    expect(readdirSync(folder).toSorted()).toEqual(["jobs.sqlite", "text"]);
    expect(readFileSync(at("text"), "utf8")).toBe("dear diary");
    expect(Buffer.compare(readFileSync(at("jobs.sqlite")), before)).toBe(0);
  });

  it.each([[[]], [["export"]], [["export", "a"]], [["export", "a", "b", "c"]], [["copy", "a", "b"]], [["--version"]]])(
    "says how it is used when it gets %j",
    async (words) => {
      const { code, out, error } = await run(...words);
      expect([code, out]).toEqual([2, ""]);
      expect(error).toContain("stem-sqlite export <file> <copy>");
    },
  );

  it("is a program of its own, which fails with the error's code and sentence", () => {
    const help = spawnSync(process.execPath, [CLI, "--help"], { encoding: "utf8" });
    expect([help.status, help.stderr, help.stdout.includes("Usage")]).toEqual([0, "", true]);
    const failed = spawnSync(process.execPath, [CLI, "import", at("jobs.sqlite"), at("jobs.sqlite")], {
      encoding: "utf8",
    });
    expect([failed.status, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toMatch(/^STEM_DATABASE_EXISTS: .*\.\n$/);
    expect(existsSync(CLI) && readFileSync(CLI, "utf8").startsWith("#!/usr/bin/env node\n")).toBe(true);
  });
});
