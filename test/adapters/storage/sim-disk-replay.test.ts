import { describe, expect, it } from "vitest";
import type { StorageFileName, StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import { readAll, someBytes } from "../../contract/storage-driver/storage-under-test.ts";
import { SimDisk } from "../../support/sim-disk.ts";
import { createSimRandom, type SimRandom } from "../../support/sim-random.ts";

const NAMES: readonly StorageFileName[] = ["db", "wal", "journal"];
const firstSeed = Number(process.env["SIM_SEED"] ?? 1);

describe("the crash images of a random workload", () => {
  // Replay one seed with SIM_SEED=<seed>.
  it.each(Array.from({ length: 10 }, (_, offset) => firstSeed + offset))(
    "hold what reads showed (killed) and what was flushed (dropped) at each operation, with SIM_SEED=%i",
    async (seed) => {
      const random = createSimRandom(seed);
      const disk = new SimDisk();
      const lease = await own(disk);
      const seen: { index: number; live: Contents; flushed: Contents }[] = [];
      const files = NAMES.map((name) => ({ name, file: lease.open(name) }));
      // The entries become durable first, so that only the bytes are at stake.
      for (const { file } of files) file.flush();
      let flushed: Contents = {};
      for (let step = 0; step < 150; step++) {
        const { name, file } = files[Math.floor(random() * files.length)] ?? expect.unreachable();
        const outcome = change(file, random);
        const live = contents(lease);
        if (outcome === "flushed") flushed = { ...flushed, [name]: live[name] };
        seen.push({ index: disk.operationCount, live, flushed });
      }
      // All images are made before any is looked at: what they share must not show.
      const images = seen.map(({ index }) => ({
        killed: disk.crashAt(index, { mode: "killed", random }),
        dropped: disk.crashAt(index, { mode: "dropped", random }),
      }));
      for (const [at, { live, flushed: durable }] of seen.entries()) {
        const { killed, dropped } = images[at] ?? expect.unreachable();
        await expectAfterEveryCrash(killed, live, seed);
        await expectAfterEveryCrash(dropped, durable, seed);
      }
    },
  );
});

type Contents = Partial<Record<StorageFileName, string | undefined>>;

/** Files without bytes count as absent, as they do for `exists`. */
function contents(lease: StorageLease): Contents {
  const present = NAMES.filter((name) => lease.exists(name));
  return Object.fromEntries(present.map((name) => [name, Buffer.from(readAll(lease.open(name))).toString("base64")]));
}

/** Changes a file, or flushes it and says so. */
function change(file: SyncFile, random: SimRandom): "flushed" | "changed" {
  const choice = random();
  const at = Math.floor(random() * 12_000);
  if (choice < 0.6) file.write(someBytes(Math.floor(random() * 9000), at), at);
  else if (choice < 0.8) file.truncate(at);
  else file.flush();
  return choice < 0.8 ? "changed" : "flushed";
}

/** An image is written to, and a crash of it still finds what it started from: twice, from the start each time. */
async function expectAfterEveryCrash(image: SimDisk, expected: Contents, seed: number): Promise<void> {
  const lease = await own(image);
  expect(contents(lease)).toEqual(expected);
  for (const name of NAMES) {
    const file = lease.open(name);
    file.write(someBytes(9000, seed), 0);
    file.flush();
  }
  for (let round = 0; round < 2; round++) {
    image.crashAt(image.operationCount, { mode: "killed", random: createSimRandom(seed) });
    for (const mode of ["killed", "dropped"] as const) {
      const again = image.crashAt(0, { mode, random: createSimRandom(seed) });
      expect(contents(await own(again))).toEqual(expected);
    }
  }
}

async function own(disk: SimDisk): Promise<StorageLease> {
  const acquisition = await disk.acquire("jobs");
  return acquisition.role === "owner" ? acquisition.lease : expect.unreachable();
}
