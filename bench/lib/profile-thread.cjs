// Preloaded into every thread of a profiled process: writes a V8 CPU profile of the thread when its work is over.
// Node's own --cpu-prof cannot be given to a thread that somebody else starts.
const { writeFileSync } = require("node:fs");
const { Session } = require("node:inspector");
const { join } = require("node:path");
const { isMainThread, parentPort, threadId } = require("node:worker_threads");

const INTERVAL_US = 200;

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
session.post("Profiler.start");

function write() {
  session.post("Profiler.stop", (error, result) => {
    if (error !== null) throw error;
    const thread = isMainThread ? "main" : `engine-${threadId}`;
    // Cases of several processes have many main threads.
    const name = `${thread}-of-${process.pid}.cpuprofile`;
    writeFileSync(join(process.env.BENCH_PROFILES, name), JSON.stringify(result.profile));
  });
}

if (isMainThread) process.on("exit", write);
else {
  // An engine thread says that it has closed, and is ended right after.
  const post = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (message, transfer) => {
    if (message?.type === "closed") write();
    post(message, transfer);
  };
}
