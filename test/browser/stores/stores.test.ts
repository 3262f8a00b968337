import { showWorkerTests } from "../support/worker-tests.ts";

for (const driver of ["opfs", "indexeddb"]) {
  const address = new URL("./stores-worker.ts", import.meta.url);
  address.searchParams.set("driver", driver);
  await showWorkerTests(`stores on ${driver}`, new Worker(address, { type: "module" }));
}
