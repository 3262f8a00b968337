import type { EnginePort, Platform } from "../../src/contracts/platform.ts";
import type { Clock } from "../../src/contracts/clock.ts";
import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { consoleLogger } from "../../src/ports/console-logger.ts";
import { memoryStorage } from "../storage/memory.ts";
import { browserStorage } from "../storage/web/browser.ts";
import { enterBrowserContext } from "./browser-context.ts";
import { spawnBrowserEngine } from "./browser-engine-port.ts";
import { browserEngineHost } from "./browser-host.ts";
import { originStorage } from "./browser-origin.ts";
import type { BrowserParts } from "./browser-parts.ts";
import { describeChoice } from "./describe-choice.ts";

/** The drivers that the engine's worker has as well. */
const IN_WORKERS: readonly string[] = ["browser", "opfs", "indexeddb"];

/** Browsers: files or IndexedDB, memory, and an engine in a dedicated worker. Nothing is touched before it is used. */
export function createBrowserPlatform(parts: BrowserParts): Platform {
  let storage: StorageDriver | undefined;
  return {
    ...browserEngineHost(() => parts.loadEngine()),
    name: "browser",
    defaultStorage: () => (storage ??= browserStorage({ onChoice: tell })),
    memoryStorage: () => memoryStorage(),
    engineThreads: (driver, clock) => engineThreads(parts, driver, clock),
    originStorage,
    engineTimeout: 5_000,
    repeatsCalls: true,
    enter: enterBrowserContext,
  };
}

/** In the engine's worker the choice is told to the logger of the connection; in this one there is none to tell. */
function tell(choice: Parameters<typeof describeChoice>[0]): void {
  const { level, message } = describeChoice(choice);
  consoleLogger.log(level, message);
}

/** None in shared and service workers of most browsers: they cannot start workers, and own databases themselves. */
function engineThreads(
  parts: BrowserParts,
  driver: StorageDriver,
  clock: Clock | undefined,
): (() => Promise<EnginePort>) | undefined {
  // A clock of the caller's own cannot be shared with a worker.
  if (!parts.canStartWorkers() || clock !== undefined || !IN_WORKERS.includes(driver.name)) return undefined;
  return () => spawnBrowserEngine(parts, driver.name);
}
