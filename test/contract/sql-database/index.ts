import { describe } from "vitest";
import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { describeSqlStatements } from "./statements.contract.ts";
import { describeSqlValues, type SqlDatabaseContractOptions } from "./values.contract.ts";

/** The specification of `SqlSession`, which every engine passes. `file` is the calling test, for replays. */
export function describeSqlDatabaseContract(
  name: string,
  open: () => Promise<SqlSession>,
  file: string,
  options: SqlDatabaseContractOptions = {},
): void {
  describe(`SQL database contract: ${name}`, () => {
    describeSqlValues(open, file, options);
    describeSqlStatements(open);
  });
}
