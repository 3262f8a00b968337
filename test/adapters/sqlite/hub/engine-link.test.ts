import { describe, expect, it } from "vitest";
import { openInThread } from "../../../../adapters/sqlite/hub/engine-link.ts";
import type { FromEngine } from "../../../../adapters/sqlite/hub/engine-messages.ts";
import type { EnginePort } from "../../../../src/contracts/platform.ts";
import { EngineError, silentLogger } from "../../../../src/index.ts";

/** A port to an engine that says nothing; `exit` ends its thread. */
function aSilentPort(): EnginePort & { exit(fault: unknown): void } {
  let exit: (fault: unknown) => void = () => undefined;
  return {
    postMessage: () => undefined,
    onMessage: () => undefined,
    onExit: (listener) => void (exit = listener),
    keepAlive: () => undefined,
    terminate: () => Promise.resolve(),
    exit: (fault) => exit(fault),
  };
}

/** A port to an engine that says what the test says. */
function aPort(): EnginePort & { say(message: FromEngine): void; readonly keepsAlive: boolean } {
  let listener: (message: unknown) => void = () => undefined;
  let keepsAlive = true;
  return {
    postMessage: () => undefined,
    onMessage: (own) => void (listener = own),
    onExit: () => undefined,
    keepAlive: (on) => void (keepsAlive = on),
    terminate: () => Promise.resolve(),
    say: (message) => listener(message),
    get keepsAlive() {
      return keepsAlive;
    },
  };
}

describe("adapters/sqlite/hub/engine-link", () => {
  it("keeps the process alive until the database is closed, also when the last answers come meanwhile", async () => {
    const port = aPort();
    const opening = openInThread(port, "queue.sqlite", "full", silentLogger);
    port.say({ type: "opened" });
    const client = await opening;
    expect(port.keepsAlive).toBe(false);
    const counting = client.call("pendingCount", { namespace: "test", queue: "mail" });
    const closing = client.close();
    port.say({ type: "batch", batch: { replies: [[1, 3]], pushes: [] } });
    expect(await counting).toBe(3);
    expect(port.keepsAlive).toBe(true);
    port.say({ type: "closed" });
    await closing;
  });

  it.each([
    ["of a fault", new TypeError("no such module")],
    ["by itself", undefined],
  ])("rejects the opening with a typed error when the thread ends %s before it has answered", async (_how, fault) => {
    const port = aSilentPort();
    const opening = openInThread(port, "queue.sqlite", "full", silentLogger);
    port.exit(fault);
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ retryable: true, outcome: "not-applied" });
    expect((error as EngineError).cause).toBe(fault);
  });
});
