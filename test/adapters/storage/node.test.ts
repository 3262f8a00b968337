import { join, relative } from "node:path";
import { symlinkSync } from "node:fs";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { describeStorageDriverContract } from "../../contract/storage-driver/index.ts";
import { makeTempDirectory } from "../../support/temp-directory.ts";

describeStorageDriverContract(
  "node",
  async () => {
    const directory = makeTempDirectory();
    symlinkSync("jobs.sqlite", join(directory.path, "link.sqlite"));
    symlinkSync(".", join(directory.path, "folder"));
    const absolute = join(directory.path, "jobs.sqlite");
    return {
      driver: nodeStorage({ directory: directory.path }),
      database: "jobs.sqlite",
      aliases: ["./jobs.sqlite", "folder/jobs.sqlite", "link.sqlite", "folder/link.sqlite", absolute],
      otherDatabase: "sub/folder/results.sqlite",
      cleanup: async () => directory.remove(),
    };
  },
  { sparse: true, replace: true },
);

describeStorageDriverContract("node, relative to the working directory", async () => {
  const directory = makeTempDirectory();
  return {
    driver: nodeStorage(),
    database: relative(process.cwd(), join(directory.path, "jobs.sqlite")),
    aliases: [join(directory.path, "jobs.sqlite")],
    otherDatabase: join(directory.path, "results.sqlite"),
    cleanup: async () => directory.remove(),
  };
});
