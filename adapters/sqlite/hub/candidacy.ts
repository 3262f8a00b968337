import type { Clock } from "../../../src/contracts/clock.ts";
import type { EnginePort } from "../../../src/contracts/platform.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { acquireOwner } from "./acquire-owner.ts";
import { EngineThread, type EngineThreadParts } from "./engine-thread.ts";
import { inlineLink } from "./inline-link.ts";
import type { Candidacy } from "./membership.ts";
import type { OwnerParts } from "./owner-parts.ts";

/** Owns the database in a thread of its own, started when it is needed and kept until the end. */
export function threadCandidacy(spawn: () => Promise<EnginePort>, parts: EngineThreadParts): Candidacy {
  let thread: Promise<EngineThread> | undefined;
  let current: EngineThread | undefined;
  const start = (): Promise<EngineThread> => {
    if (current?.hasEnded === true) thread = current = undefined;
    thread ??= spawn().then((port) => (current = new EngineThread(port, parts)));
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
  session: string,
  parts: Omit<OwnerParts, "lease" | "driver" | "place" | "clock"> & { readonly clock: Clock },
): Candidacy {
  return {
    async takeOver(listener) {
      const owner = await acquireOwner(driver, database, { ...parts, place: "inline" });
      return owner === undefined
        ? undefined
        : inlineLink(owner, parts.clock, { session, remote: false, context: parts.host.contextId ?? "" })(listener);
    },
    // A fault comes again, and is told, when the database is opened.
    prepare: () => void parts.host.loadEngine().catch(() => undefined),
    end: () => Promise.resolve(),
  };
}
