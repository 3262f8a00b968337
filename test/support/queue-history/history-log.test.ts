import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OutcomeUnknownError, StemError } from "../../../src/index.ts";
import { useTempDirectory } from "../temp-directory.ts";
import { HistoryLog, readHistoryLog } from "./history-log.ts";

const ack = (key: string) => ({ op: "ack", key, token: 1 }) as const;

describe("HistoryLog", () => {
  it("keeps how each call ended, in the order in which they were asked for", async () => {
    const file = join(useTempDirectory(), "log");
    const log = new HistoryLog(file, "one");
    expect(await log.call(ack("a"), async () => "value")).toBe("value");
    await log.call(ack("b"), () => Promise.reject(new StemError("STEM_LEASE_LOST", "lost")));
    await log.call(ack("c"), () => Promise.reject(new OutcomeUnknownError("it")));
    await log.call(ack("d"), () => Promise.reject(new Error("no error of ours")));
    void log.call(ack("e"), () => new Promise(() => undefined));
    log.saw({ op: "end" }, 7);
    log.close();
    const records = readHistoryLog(file);
    expect(records.map((record) => ("key" in record ? [record.key, record.outcome] : record.op))).toEqual([
      ["a", "ok"],
      ["b", "fail"],
      ["c", "info"],
      ["d", "info"],
      ["e", "info"],
      "end",
    ]);
    expect(records[4]).not.toHaveProperty("completed");
    expect(records[5]).toEqual({ op: "end", process: "one", invoked: 7, completed: 7, outcome: "ok" });
  });

  it("reads a log whose last line was cut", () => {
    const file = join(useTempDirectory(), "log");
    const log = new HistoryLog(file, "one");
    log.saw({ op: "begin" }, 1);
    log.close();
    appendFileSync(file, '{"n":1,"record":{"op":"en');
    expect(readHistoryLog(file)).toHaveLength(1);
  });
});
