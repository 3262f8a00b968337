import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { startProgram } from "../support/child-process.ts";
import { checkDatabase, hasSqliteProgram, runSqliteProgram } from "../support/database-check.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const PROCESSES = 8;
const ROUNDS = Number(process.env["STEM_TORTURE_ROUNDS"] ?? 6);
const SCHEMA = "pragma user_version; select group_concat(sql) from sqlite_schema order by name";

describe("torture/new-database", () => {
  it(`is made once and usable for all when ${PROCESSES} processes open it at once`, async () => {
    const folder = useTempDirectory();
    const alone = join(folder, "alone.sqlite");
    await SqliteBroker.open(alone).then((broker) => broker.close());
    const programs = Array.from({ length: PROCESSES }, (_, n) => startProgram("open-together", [`process-${n}`]));
    await Promise.all(programs.map((program) => program.seen("ready")));
    for (let round = 0; round < ROUNDS; round++) {
      const home = join(folder, String(round));
      mkdirSync(home);
      const file = join(home, "queue.sqlite");
      for (const program of programs) program.write(file);
      await Promise.all(programs.map((program) => program.seen(`left ${file}`)));
      expect(await checkDatabase(file), `round ${round}`).toEqual([]);
      await using broker = await SqliteBroker.open(file);
      expect(await broker.pendingCount("default"), `round ${round}`).toBe(PROCESSES);
      await broker.close();
      if (hasSqliteProgram) expect(runSqliteProgram(file, SCHEMA)).toEqual(runSqliteProgram(alone, SCHEMA));
    }
  });
});
