import type { Clock } from "../../src/contracts/clock.ts";
import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { createSystemClock } from "../../src/ports/system-clock.ts";
import { systemRandomness } from "../../src/ports/system-randomness.ts";
import type { FromEngine, ToEngine } from "../sqlite/hub/engine-messages.ts";
import { serveEngine } from "../sqlite/hub/engine-server.ts";
import { browserStorage } from "../storage/web/browser.ts";
import { indexedDbStorage } from "../storage/web/indexeddb.ts";
import { opfsStorage } from "../storage/web/opfs.ts";
import type { StartEngine } from "./browser-engine-port.ts";
import { browserEngineHost, loadEngineFrom } from "./browser-host.ts";
import { TICK } from "./browser-tick.ts";
import { describeChoice } from "./describe-choice.ts";

const TICK_EVERY_MS = 1_000;

const post = (message: FromEngine): void => postMessage(message);

let receive: ((message: ToEngine) => void) | undefined;

/** The timers of a worker are not held back while its page is hidden. */
function tick(clock: Clock): void {
  clock.schedule(() => {
    postMessage(TICK);
    tick(clock);
  }, TICK_EVERY_MS);
}

function start({ storage, engine }: StartEngine): void {
  const clock = createSystemClock();
  tick(clock);
  receive = serveEngine({
    host: browserEngineHost(() => (typeof engine === "string" ? loadEngineFrom(engine) : Promise.resolve(engine))),
    driver: driverOf(storage),
    clock,
    randomness: systemRandomness,
    post,
    exit: () => close(),
  });
}

function driverOf(name: string): StorageDriver {
  if (name === "opfs") return opfsStorage();
  if (name === "indexeddb") return indexedDbStorage();
  return browserStorage({ onChoice: (choice) => post({ type: "log", ...describeChoice(choice) }) });
}

addEventListener("message", ({ data }: MessageEvent<StartEngine | ToEngine>) => {
  if (data.type === "start") start(data);
  else receive?.(data);
});
// Unlike an exception, it would not be heard of by whoever started this worker.
addEventListener("unhandledrejection", (event) => {
  queueMicrotask(() => {
    throw event.reason;
  });
});
