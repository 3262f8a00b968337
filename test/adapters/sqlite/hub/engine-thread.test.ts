import { describe, expect, it } from "vitest";
import { EngineThread } from "../../../../adapters/sqlite/hub/engine-thread.ts";
import type { FromEngine } from "../../../../adapters/sqlite/hub/engine-messages.ts";
import { HubClient } from "../../../../adapters/sqlite/hub/hub-client.ts";
import type { EnginePort } from "../../../../src/contracts/platform.ts";
import { EngineError, silentLogger } from "../../../../src/index.ts";
import { FakeClock } from "../../../../src/testing/index.ts";

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

/** A client whose owner is behind the port; resolves once the port has said who owns the database. */
async function openThrough(port: EnginePort): Promise<HubClient> {
  const session = "0123456789abcdef";
  const thread = new EngineThread(port, {
    database: "queue.sqlite",
    durability: "full",
    session,
    context: "",
    repeatsCalls: false,
    clock: new FakeClock(),
    engineTimeout: 5_000,
    logger: silentLogger,
  });
  const receive: { to?: HubClient } = {};
  const link = await thread.open({
    receive: (batch) => receive.to?.receive(batch),
    lost: (cause, mayRepeat) => receive.to?.lost(cause, mayRepeat),
    unresponsive: () => undefined,
  });
  if (link === undefined) throw new Error("Somebody else owns the database.");
  receive.to = new HubClient(() => link);
  return receive.to;
}

describe("adapters/sqlite/hub/engine-thread", () => {
  it("keeps the process alive until the database is closed, also when the last answers come meanwhile", async () => {
    const port = aPort();
    const opening = openThrough(port);
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

  it("does not link to an owner elsewhere", async () => {
    const port = aPort();
    const opening = openThrough(port);
    port.say({ type: "taken" });
    await expect(opening).rejects.toThrow("Somebody else");
    expect(port.keepsAlive).toBe(false);
  });

  it.each([
    ["of a fault", new TypeError("no such module")],
    ["by itself", undefined],
  ])("rejects the opening with a typed error when the thread ends %s before it has answered", async (_how, fault) => {
    const port = aSilentPort();
    const opening = openThrough(port);
    port.exit(fault);
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ retryable: true, outcome: "not-applied" });
    expect((error as EngineError).cause).toBe(fault);
  });
});
