import { parentPort } from "node:worker_threads";
import { nodeEngineHost } from "../../adapters/entry/node-platform.ts";
import type { ToEngine } from "../../adapters/sqlite/hub/engine-messages.ts";
import { serveEngine } from "../../adapters/sqlite/hub/engine-server.ts";
import { nodeStorage } from "../../adapters/storage/node.ts";
import { systemRandomness } from "../../src/ports/system-randomness.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import type { ClockCommand } from "./threaded-fake-clock.ts";

// The engine's thread of adapters/entry, on a clock that the test moves from outside.
const port = parentPort;
if (port === null) throw new Error("This module is a thread's program.");
const clock = new FakeClock();
const receive = serveEngine({
  host: nodeEngineHost,
  driver: nodeStorage(),
  clock,
  randomness: systemRandomness,
  post: (message) => port.postMessage(message),
  exit: () => port.close(),
});

async function moveClock(command: ClockCommand): Promise<void> {
  if (command.jump !== undefined) clock.jump(command.jump);
  if (command.advance !== undefined) await clock.advance(command.advance);
  port?.postMessage({ clockMoved: command.id });
}

port.on("message", (message: ToEngine | ClockCommand) => {
  if ("type" in message) receive(message);
  else void moveClock(message);
});
