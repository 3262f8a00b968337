import { render } from "preact";
import { App } from "./app.tsx";
import { startClock } from "./state/clock.ts";
import { watchEngineWorkers } from "./state/engine-workers.ts";
import { startLog } from "./state/event-log.ts";
import { describeError } from "./state/notices.ts";
import { startSampling } from "./state/samples.ts";
import { openSession } from "./state/session.ts";
import { startTabWorker } from "./state/tab-worker.ts";

const root = document.querySelector("#app");
if (root === null) throw new Error("The page has no place for the app.");

watchEngineWorkers();
startClock();
startSampling();
startLog();
render(<App failure={undefined} />, root);

openSession()
  .then(startTabWorker)
  .catch((error: unknown) => render(<App failure={describeError(error)} />, root));
