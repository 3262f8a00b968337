import type { Logger } from "../../../src/contracts/logger.ts";
import type { EnginePort } from "../../../src/contracts/platform.ts";
import { reviveError } from "../../../src/error-transfer.ts";
import { EngineError } from "../../../src/errors.ts";
import type { FromEngine, ToEngine } from "./engine-messages.ts";
import { HubClient } from "./hub-client.ts";
import type { Durability } from "../durability.ts";

/** Opens a database in the engine thread behind `port`; on failure the thread is ended. */
export function openInThread(
  port: EnginePort,
  database: string,
  durability: Durability,
  logger: Logger,
): Promise<HubClient> {
  return new Promise((resolve, reject) => {
    const closing = deferred();
    let client: HubClient | undefined;
    port.onExit((fault) => {
      reject(new EngineError("its thread ended while it opened the database", { cause: fault, retryable: true }));
      client?.lose(fault);
      closing.resolve();
    });
    port.onMessage((raw) => {
      const message = raw as FromEngine;
      if (message.type === "batch") client?.receive(message.batch);
      else if (message.type === "log") logger.log(message.level, message.message, { database });
      else if (message.type === "opened") {
        port.keepAlive(false);
        client = new HubClient(() => linkTo(port, closing.promise));
        resolve(client);
      } else {
        const error = message.error === undefined ? undefined : reviveError(message.error);
        if (client === undefined) reject(error);
        if (error === undefined) closing.resolve();
        else closing.reject(error);
      }
    });
    // A rejection is for whoever closes; opening failures are reported above.
    closing.promise.catch(() => undefined);
    send(port, { type: "open", database, durability });
  });
}

function linkTo(port: EnginePort, closed: Promise<void>): ReturnType<ConstructorParameters<typeof HubClient>[0]> {
  let isClosing = false;
  return {
    send: (batch) => send(port, { type: "calls", batch }),
    waiting(on) {
      // The last answers come while the database is being closed: the process must not end on them.
      if (!isClosing) port.keepAlive(on);
    },
    async close() {
      isClosing = true;
      port.keepAlive(true);
      send(port, { type: "close" });
      try {
        await closed;
      } finally {
        await port.terminate();
      }
    },
  };
}

function send(port: EnginePort, message: ToEngine): void {
  port.postMessage(message);
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
