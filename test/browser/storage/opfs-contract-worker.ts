import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import { describeStorageDriverContract } from "../../contract/storage-driver/index.ts";
import { serveSuite } from "../support/worker-suite.ts";

let made = 0;

describeStorageDriverContract("opfs", async () => {
  const directory = `contract/${crypto.randomUUID()}-${++made}`;
  return {
    driver: opfsStorage({ directory }),
    database: "jobs.sqlite",
    aliases: [
      "./jobs.sqlite",
      ".//jobs.sqlite",
      `/${directory}/jobs.sqlite`,
      `/contract/./${directory.slice(9)}/jobs.sqlite`,
    ],
    otherDatabase: "sub/folder/results.sqlite",
    cleanup: async () => undefined,
  };
});

serveSuite();
