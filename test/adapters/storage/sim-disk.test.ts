import { describeStorageDriverContract } from "../../contract/storage-driver/index.ts";
import { SimDisk } from "../../support/sim-disk.ts";

describeStorageDriverContract(
  "sim-disk",
  async () => ({
    driver: new SimDisk(),
    database: "jobs",
    aliases: [" jobs "],
    otherDatabase: "results",
    cleanup: async () => undefined,
  }),
  // A simulated disk stands for one process and has nobody to talk to.
  { sparse: true, peers: false },
);
