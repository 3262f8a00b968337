import { showWorkerTests } from "../support/worker-tests.ts";

const address = new URL("./test-queue-worker.ts", import.meta.url);
await showWorkerTests("stem-sqlite/testing", new Worker(address, { type: "module" }));
