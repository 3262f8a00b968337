import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { startProgram } from "../support/child-process.ts";
import { checkDatabase } from "../support/database-check.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const PAUSES = 2;

describe("torture/silent-owner", () => {
  it("is waited for with an OwnerUnresponsiveError, robbed by nobody, and goes on when it wakes", async () => {
    const file = join(useTempDirectory(), "queue.sqlite");
    const owner = startProgram("hold-open", [file]);
    await owner.seen("open");
    const member = startProgram("patient-member", [file]);
    await member.seen("open");
    member.write("before");
    await member.seen("published before");

    for (let pause = 0; pause < PAUSES; pause++) {
      owner.process.kill("SIGSTOP");
      member.write(`asleep-${pause}`);
      const late = startProgram("patient-member", [file]);
      await member.seen(`failed asleep-${pause} STEM_OWNER_UNRESPONSIVE`);
      await late.seen("refused STEM_OWNER_UNRESPONSIVE");
      expect(await late.ended).toBe(5);
      // Nobody took its place meanwhile: it still serves.
      owner.process.kill("SIGCONT");
      owner.write(`woken-${pause}`);
      await owner.seen(`published woken-${pause}`);
      member.write(`awake-${pause}`);
      await member.seen(`published awake-${pause}`);
      // Its outcome was unknown: again, with the same id, it has one effect.
      member.write(`asleep-${pause}`);
      await member.seen(`published asleep-${pause}`);
    }

    member.endInput();
    expect(await member.ended).toBe(0);
    owner.endInput();
    expect(await owner.ended).toBe(0);
    await using broker = await SqliteBroker.open(file);
    expect(await broker.pendingCount("default")).toBe(1 + PAUSES * 3);
    await broker.close();
    expect(await checkDatabase(file)).toEqual([]);
  });

  it("gives nothing to a consumer that gave up waiting for it", async () => {
    const file = join(useTempDirectory(), "queue.sqlite");
    const owner = startProgram("hold-open", [file]);
    await owner.seen("open");
    const impatient = startProgram("patient-member", [file]);
    const other = startProgram("patient-member", [file]);
    await Promise.all([impatient.seen("open"), other.seen("open")]);
    owner.process.kill("SIGSTOP");
    impatient.write("take");
    await impatient.seen("failed take STEM_OWNER_UNRESPONSIVE");
    owner.process.kill("SIGCONT");
    owner.write("one");
    await owner.seen("published one");
    other.write("take");
    await other.seen("took one 1");
    for (const program of [impatient, other, owner]) program.endInput();
    expect(await Promise.all([impatient.ended, other.ended, owner.ended])).toEqual([0, 0, 0]);
  });
});
