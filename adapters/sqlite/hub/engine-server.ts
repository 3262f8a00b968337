import type { Clock } from "../../../src/contracts/clock.ts";
import type { Randomness } from "../../../src/contracts/identity.ts";
import type { EngineHost } from "../../../src/contracts/platform.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { describeError } from "../../../src/error-transfer.ts";
import { acquireOwner } from "./acquire-owner.ts";
import type { FromEngine, ToEngine } from "./engine-messages.ts";
import { importCopy } from "./import-copy.ts";
import type { OwnerMember } from "./owner-parts.ts";
import type { Owner } from "./owner.ts";

/** What the engine's thread serves with. */
export interface EngineServerParts {
  readonly host: EngineHost;
  readonly driver: StorageDriver;
  readonly clock: Clock;
  readonly randomness: Randomness;
  post(message: FromEngine): void;
  /** Ends the thread once everything was sent. */
  exit(): void;
}

/** Runs one owner in a thread of its own; give it each message of the opening thread. */
export function serveEngine(parts: EngineServerParts): (message: ToEngine) => void {
  let owner: Owner | undefined;
  let member: OwnerMember | undefined;

  const finish = (error?: unknown): void => {
    parts.post({ type: "closed", ...(error === undefined ? {} : { error: describeError(error) }) });
    parts.exit();
  };

  const open = async (message: Extract<ToEngine, { type: "open" }>): Promise<void> => {
    const { host, clock, randomness } = parts;
    const logger = {
      log: (level: "debug" | "info" | "warn" | "error", text: string) =>
        parts.post({ type: "log", level, message: text }),
    };
    const { durability, database, session, context, repeatsCalls } = message;
    const ownerParts = { host, clock, randomness, logger, durability, place: "thread" } as const;
    // Both take their time; a fault of the engine comes again, and is told, when the database is opened.
    host.loadEngine().catch(() => undefined);
    owner = await acquireOwner(parts.driver, database, ownerParts);
    member = owner?.connect((batch) => parts.post({ type: "batch", batch }), {
      session,
      remote: false,
      context,
      repeatsCalls,
    });
    parts.post({ type: owner === undefined ? "taken" : "opened" });
  };

  return (message) => {
    switch (message.type) {
      case "calls":
        member?.receive(message.batch, message.answered);
        break;
      case "ping":
        parts.post({ type: "pong" });
        break;
      case "prepare":
        // A fault comes again, and is told, when the database is opened.
        parts.host.loadEngine().catch(() => undefined);
        break;
      case "open":
        open(message).catch((error: unknown) => parts.post({ type: "failed", error: describeError(error) }));
        break;
      case "import":
        importCopy(parts.driver, message, parts).then(
          () => parts.post({ type: "imported" }),
          (error: unknown) => parts.post({ type: "failed", error: describeError(error) }),
        );
        break;
      case "close":
        (owner?.close() ?? Promise.resolve()).then(() => finish(), finish);
        break;
    }
  };
}
