import type { EnginePort } from "../../../src/contracts/platform.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { EngineThread, type EngineThreadParts } from "./engine-thread.ts";
import { inlineLink } from "./inline-link.ts";
import type { MemberIdentity } from "./members.ts";
import type { Candidacy } from "./membership.ts";
import type { OwnerParts } from "./owner-parts.ts";

/** A thread that hangs so soon after the last one may only be slow: the next one is given twice the time. */
const SOON_MS = 60_000;
const LONGEST_PATIENCE_MS = 60_000;

/** Owns the database in a thread of its own, started when it is needed and kept until the end. */
export function threadCandidacy(spawn: () => Promise<EnginePort>, parts: EngineThreadParts): Candidacy {
  let thread: Promise<EngineThread> | undefined;
  let current: EngineThread | undefined;
  let { engineTimeout } = parts;
  let hungAt = Number.NEGATIVE_INFINITY;
  const learn = ({ isHung }: EngineThread): void => {
    if (!isHung) return;
    const now = parts.clock.monotonic();
    const longer = Math.max(engineTimeout, Math.min(engineTimeout * 2, LONGEST_PATIENCE_MS));
    engineTimeout = now - hungAt < SOON_MS ? longer : parts.engineTimeout;
    hungAt = now;
  };
  const start = (): Promise<EngineThread> => {
    if (current?.hasEnded === true) {
      learn(current);
      thread = current = undefined;
    }
    thread ??= spawn().then((port) => (current = new EngineThread(port, { ...parts, engineTimeout })));
    thread.catch(() => (thread = undefined));
    return thread;
  };
  return {
    takeOver: async (listener) => (await start()).open(listener),
    prepare: () =>
      void start().then(
        (ready) => ready.prepare(),
        // It is tried again, and told, when there is a database to take over.
        () => undefined,
      ),
    end: async () => (await thread?.catch(() => undefined))?.end(),
  };
}

/** Owns the database in this thread. */
export function inlineCandidacy(
  driver: StorageDriver,
  database: string,
  identity: MemberIdentity,
  parts: Omit<OwnerParts, "lease" | "driver" | "place">,
): Candidacy {
  return {
    async takeOver(listener) {
      // Whoever has the engine elsewhere, or is a member only, never loads what it takes to own a database.
      const { acquireOwner } = await import("./acquire-owner.ts");
      const owner = await acquireOwner(driver, database, { ...parts, place: "inline" });
      return owner === undefined ? undefined : inlineLink(owner, parts.clock, identity)(listener);
    },
    // A fault comes again, and is told, when the database is opened.
    prepare: () => void (parts.sqlEngine?.prepare() ?? parts.host.loadEngine()).catch(() => undefined),
    end: () => Promise.resolve(),
  };
}
