import { describe, expect, it } from "vitest";
import { openInThread } from "../../../../adapters/sqlite/hub/engine-link.ts";
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

describe("adapters/sqlite/hub/engine-link", () => {
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
