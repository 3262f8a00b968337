import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { startProgram } from "../support/child-process.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const USED = ["engine in a thread: true", "acknowledged first"];

/** Runs the program to the end that it comes to by itself. */
async function runToItsEnd(
  mode: string,
): Promise<Readonly<{ file: string; lines: readonly string[]; code: number | null }>> {
  const file = join(useTempDirectory(), "queue.sqlite");
  const program = startProgram("engine-thread", [file, mode]);
  const code = await program.ended;
  return { file, lines: program.lines, code };
}

async function pendingIn(file: string): Promise<number> {
  await using broker = await SqliteBroker.open(file);
  return broker.pendingCount("default");
}

describe("torture/thread", () => {
  it("lets the process end once everything is closed", async () => {
    const { lines, code } = await runToItsEnd("close");
    expect(lines).toEqual([...USED, "closed", "end of program"]);
    expect(code).toBe(0);
  });

  it("lets the process end while a broker is open and idle, and loses nothing by it", async () => {
    const { file, lines, code } = await runToItsEnd("idle");
    expect(lines).toEqual([...USED, "end of program"]);
    expect(code).toBe(0);
    expect(await pendingIn(file)).toBe(0);
  });

  it("lets the process end while a broker is open that was never used", async () => {
    const { lines, code } = await runToItsEnd("untouched");
    expect(lines).toEqual(["engine in a thread: true", "end of program"]);
    expect(code).toBe(0);
  });

  it("keeps the process alive while a consumer waits for a message that is not due yet", async () => {
    const { lines, code } = await runToItsEnd("wait");
    expect(lines).toEqual([...USED, "acknowledged later", "end of program"]);
    expect(code).toBe(0);
  });

  it.each([
    ["is terminated", "terminate"],
    ["dies of a fault", "fault"],
  ])(
    "settles what was under way with a typed error when the engine's thread %s, and goes on in a new one",
    async (_how, mode) => {
      const { file, lines, code } = await runToItsEnd(mode);
      expect(lines.slice(0, 2)).toEqual(USED);
      expect(lines.slice(2, 6)).toEqual([
        "pending call: STEM_ENGINE, outcome unknown",
        "later call: resolved",
        "waiting consumer: resolved",
        "close: resolved",
      ]);
      // The call that was under way may have taken effect: its outcome is unknown.
      expect(lines[6]).toMatch(/^open again, pending: [23]$/);
      expect(lines.slice(7)).toEqual(["end of program"]);
      expect(code).toBe(0);
      expect(await pendingIn(file)).toBeGreaterThan(0);
    },
  );
});
