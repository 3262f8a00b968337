import { showWorkerTests } from "../support/worker-tests.ts";

await showWorkerTests(
  "indexeddb in a dedicated worker",
  new Worker(new URL("./indexeddb-contract-worker.ts", import.meta.url), { type: "module" }),
);
