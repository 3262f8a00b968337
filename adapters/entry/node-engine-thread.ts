import { parentPort } from "node:worker_threads";
import { createSystemClock } from "../../src/ports/system-clock.ts";
import { systemRandomness } from "../../src/ports/system-randomness.ts";
import type { ToEngine } from "../sqlite/hub/engine-messages.ts";
import { serveEngine } from "../sqlite/hub/engine-server.ts";
import { nodeStorage } from "../storage/node.ts";
import { nodeEngineHost } from "./node-platform.ts";

if (parentPort === null) throw new Error("This module is the engine's thread; it is not for import.");
const port = parentPort;

const receive = serveEngine({
  host: nodeEngineHost,
  driver: nodeStorage(),
  clock: createSystemClock(),
  randomness: systemRandomness,
  post: (message) => port.postMessage(message),
  // Deno's port has no `close`; whoever opened the database ends the thread in any case.
  exit: () => (port as { close?: () => void }).close?.(),
});
port.on("message", (message: ToEngine) => receive(message));
