import { showWorkerTests } from "../support/worker-tests.ts";

for (const [driver, engine] of [["opfs"], ["indexeddb"], ["indexeddb", "sqljs"]] as const) {
  const address = new URL("./stores-worker.ts", import.meta.url);
  address.searchParams.set("driver", driver);
  if (engine !== undefined) address.searchParams.set(engine, "");
  const name = engine === undefined ? driver : `${driver}, in sql.js`;
  await showWorkerTests(`stores on ${name}`, new Worker(address, { type: "module" }));
}
