import { describe, expect, it } from "vitest";
import { LogFile } from "../../../../adapters/sqlite/database/log-file.ts";
import type { SyncFile } from "../../../../src/contracts/storage-driver.ts";

const HEADER = new Uint8Array(24).fill(7);
const PAGE = new Uint8Array(4_096).fill(9);

/** A file that only notes what is asked of it. */
function aFile(): { file: SyncFile; calls: string[]; written: Uint8Array[] } {
  const calls: string[] = [];
  const written: Uint8Array[] = [];
  const file: SyncFile = {
    read: (into, at) => (calls.push(`read ${into.length} at ${at}`), into.length),
    write: (from, at) => {
      calls.push(`write ${from.length} at ${at}`);
      written.push(from.slice());
    },
    truncate: (size) => void calls.push(`truncate ${size}`),
    flush: () => void calls.push("flush"),
    size: () => (calls.push("size"), 0),
    close: () => void calls.push("close"),
  };
  return { file, calls, written };
}

describe("database/log-file", () => {
  it("writes the header of a frame together with its page", () => {
    const { file, calls, written } = aFile();
    const log = new LogFile(file);
    log.write(HEADER, 32);
    log.write(PAGE, 56);
    log.write(HEADER, 4_152);
    log.write(PAGE, 4_176);
    expect(calls).toEqual(["write 4120 at 32", "write 4120 at 4152"]);
    expect(written[0]).toEqual(Uint8Array.from([...HEADER, ...PAGE]));
  });

  it("copies the header, whose memory the engine uses again", () => {
    const { file, written } = aFile();
    const log = new LogFile(file);
    const header = HEADER.slice();
    log.write(header, 32);
    header.fill(0);
    log.write(PAGE, 56);
    expect(written[0]?.subarray(0, 24)).toEqual(HEADER);
  });

  it.each([
    ["read 8 at 0", (log: LogFile) => log.read(new Uint8Array(8), 0)],
    ["truncate 0", (log: LogFile) => log.truncate(0)],
    ["flush", (log: LogFile) => log.flush()],
    ["size", (log: LogFile) => log.size()],
    ["write 4096 at 9000", (log: LogFile) => log.write(PAGE, 9_000)],
    ["write 100 at 0", (log: LogFile) => log.write(new Uint8Array(100), 0)],
  ])("writes a held header before: %s", (call, act) => {
    const { file, calls } = aFile();
    const log = new LogFile(file);
    log.write(HEADER, 32);
    act(log);
    expect(calls).toEqual(["write 24 at 32", call]);
    log.flush();
    expect(calls.filter((one) => one.startsWith("write 24"))).toHaveLength(1);
  });

  it("holds the last of several headers in a row", () => {
    const { file, calls } = aFile();
    const log = new LogFile(file);
    log.write(HEADER, 32);
    log.write(HEADER, 4_152);
    log.flush();
    expect(calls).toEqual(["write 24 at 32", "write 24 at 4152", "flush"]);
  });

  it("writes nothing when it is closed", () => {
    const { file, calls } = aFile();
    const log = new LogFile(file);
    log.write(HEADER, 32);
    log.close();
    expect(calls).toEqual(["close"]);
  });
});
