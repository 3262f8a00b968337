import { describe, expect, it } from "vitest";
import { type Candidacy, Membership } from "../../../../adapters/sqlite/hub/membership.ts";
import { MemoryChannel } from "../../../../adapters/storage/memory-channel.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import type { StorageDriver, StoragePeer } from "../../../../src/contracts/storage-driver.ts";
import { createSeededRandomness, FakeClock, RecordingLogger } from "../../../../src/testing/index.ts";
import { expectError } from "../../../contract/support.ts";

const OWNER_TIMEOUT = 5_000;

/** Nobody can be the owner, as somebody is. */
const NO_CANDIDACY: Candidacy = {
  takeOver: async () => undefined,
  prepare: () => undefined,
  end: async () => undefined,
};

function openWith(driver: StorageDriver, clock: FakeClock): ReturnType<typeof Membership.open> {
  return Membership.open({
    driver,
    candidacy: NO_CANDIDACY,
    clock,
    database: "jobs.sqlite",
    session: "00000000000000aa",
    context: "",
    durability: "full",
    ownerTimeout: OWNER_TIMEOUT,
    randomness: createSeededRandomness(1),
    logger: new RecordingLogger(),
  });
}

describe("hub: membership", () => {
  it("is given up with a typed error when an owner closes every line, as one at its limit does", async () => {
    const clock = new FakeClock();
    const peer: StoragePeer = {
      description: "a crowded owner",
      async connect() {
        const [own, other] = MemoryChannel.pair();
        own.close();
        return other;
      },
    };
    const opening = expectError(
      () => openWith({ ...memoryStorage(), meet: async () => peer }, clock),
      "STEM_DATABASE_BUSY",
    );
    await clock.advance(OWNER_TIMEOUT + 100);
    await opening;
  });

  it("leaves no line behind to an owner that is silent", async () => {
    const clock = new FakeClock();
    const open = new Set<number>();
    let lines = 0;
    const peer: StoragePeer = {
      description: "a frozen owner",
      async connect() {
        const [, line] = MemoryChannel.pair();
        const id = (lines += 1);
        open.add(id);
        return {
          send: (message) => line.send(message),
          listen: (listener) => line.listen(listener),
          keepAlive: () => undefined,
          // As in a browser, where what was sent waits for the other side to answer.
          close: () => undefined,
          destroy: () => void open.delete(id),
        };
      },
    };
    const opening = expectError(
      () => openWith({ ...memoryStorage(), meet: async () => peer }, clock),
      "STEM_OWNER_UNRESPONSIVE",
    );
    await clock.advance(OWNER_TIMEOUT + 100);
    await opening;
    expect([lines, open.size]).toEqual([1, 0]);
  });
});
