import { runInWorker } from "../support/run-in-worker.ts";

await runInWorker(
  "opfs in a dedicated worker",
  new Worker(new URL("./opfs-contract-worker.ts", import.meta.url), { type: "module" }),
);
