import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { SqliteBroker, SqliteResultBackend } from "../../../adapters/entry/node.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { onClock } from "./open-sqlite.ts";

it("whoever waits on a database that was deleted is told, and everything can be closed", async () => {
  const directory = useTempDirectory();
  const connection = onClock(new FakeClock(), nodeStorage({ directory }));
  const broker = await SqliteBroker.open("jobs.sqlite", connection);
  const backend = await SqliteResultBackend.open("jobs.sqlite", connection);
  const gone = { code: "STEM_DATABASE_REPLACED" };
  const delivery = expect(broker.consume({ queues: ["default"] }).next()).rejects.toMatchObject(gone);
  const status = expect(backend.watch("task").next()).rejects.toMatchObject(gone);
  await broker.pendingCount("default");

  rmSync(join(directory, "jobs.sqlite"));
  await expect(broker.publish(anEnvelope())).rejects.toMatchObject(gone);
  await Promise.all([delivery, status]);
  await expect(broker.publish(anEnvelope())).rejects.toMatchObject(gone);
  await broker.close();
  await backend.close();

  const again = await SqliteBroker.open("jobs.sqlite", connection);
  expect(await again.pendingCount("default")).toBe(0);
  await again.close();
});
