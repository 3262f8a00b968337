import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { describeStorageDriverContract } from "../../contract/storage-driver/index.ts";
import { serveSuite } from "../support/worker-suite.ts";

let made = 0;

describeStorageDriverContract(
  "indexeddb",
  async () => {
    const folder = `contract-${crypto.randomUUID()}-${++made}`;
    return {
      driver: indexedDbStorage(),
      database: `${folder}/jobs.sqlite`,
      aliases: [`./${folder}//jobs.sqlite`, `/stem-sqlite/${folder}/jobs.sqlite`],
      otherDatabase: `${folder}/results.sqlite`,
      cleanup: async () => undefined,
    };
  },
  { sparse: true, replace: true },
);

serveSuite();
