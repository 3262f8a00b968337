import { describe, expect, it } from "vitest";
import { serveEngine } from "../../../../adapters/sqlite/hub/engine-server.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import { nodeEngineHost } from "../../../../adapters/entry/node-platform.ts";
import type { FromEngine } from "../../../../adapters/sqlite/hub/engine-messages.ts";
import { systemRandomness } from "../../../../src/ports/system-randomness.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";

describe("hub/engine-server", () => {
  it("loads the engine while it waits for the storage", async () => {
    const steps: string[] = [];
    const driver = memoryStorage();
    const opened = new Promise<FromEngine>((resolve) => {
      const receive = serveEngine({
        host: {
          ...nodeEngineHost,
          loadEngine: () => {
            steps.push("load the engine");
            return nodeEngineHost.loadEngine();
          },
        },
        driver: {
          ...driver,
          acquire: async (name, options) => {
            steps.push("acquire the storage");
            const acquisition = await driver.acquire(name, options);
            steps.push("acquired");
            return acquisition;
          },
        },
        clock: new FakeClock(),
        randomness: systemRandomness,
        post: resolve,
        exit: () => undefined,
      });
      const member = { session: "one", context: "", repeatsCalls: false };
      receive({ type: "open", database: "jobs.sqlite", durability: "full", ...member });
    });
    expect(await opened).toEqual({ type: "opened" });
    expect(steps.slice(0, 3)).toEqual(["load the engine", "acquire the storage", "acquired"]);
  });
});
