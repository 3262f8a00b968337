import { describe, expect, it } from "vitest";
import { threadCandidacy } from "../../../../adapters/sqlite/hub/candidacy.ts";
import type { EnginePort } from "../../../../src/contracts/platform.ts";
import { silentLogger } from "../../../../src/index.ts";
import { FakeClock } from "../../../../src/testing/index.ts";

/** Threads that answer nothing and end when they are told to. */
function threads(): {
  spawn(): Promise<EnginePort>;
  endLast(): void;
  readonly counts: { spawned: number; alive: number };
} {
  const counts = { spawned: 0, alive: 0 };
  let end: () => void = () => undefined;
  return {
    counts,
    endLast: () => end(),
    async spawn() {
      counts.spawned += 1;
      counts.alive += 1;
      const port: EnginePort = {
        postMessage: () => undefined,
        onMessage: () => undefined,
        onExit(listener) {
          end = () => {
            counts.alive -= 1;
            listener(undefined);
          };
        },
        keepAlive: () => undefined,
        terminate: async () => void (counts.alive -= 1),
      };
      await Promise.resolve();
      return port;
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("hub: a candidacy in a thread", () => {
  it("starts one thread in the place of one that ended, however often it is asked meanwhile", async () => {
    const { spawn, endLast, counts } = threads();
    const session = "00000000000000aa";
    const opening = { database: "jobs.sqlite", durability: "full", session, context: "", repeatsCalls: false } as const;
    const parts = { ...opening, clock: new FakeClock(), engineTimeout: 5_000, logger: silentLogger };
    const candidacy = threadCandidacy(spawn, parts);
    candidacy.prepare();
    await turn();
    endLast();
    candidacy.prepare();
    candidacy.prepare();
    await turn();
    await candidacy.end();
    expect(counts).toEqual({ spawned: 2, alive: 0 });
  });
});
