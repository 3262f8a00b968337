import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import type { TransactionStep } from "../database/transaction.ts";
import { SHIFT_LEASES } from "../sql/queue-jobs.ts";
import { SHIFT_RUN_LEASES } from "../sql/workflow-runs.ts";
import type { Consumers } from "./consumers.ts";
import type { Members } from "./members.ts";

/** What an owner has to catch up with. */
interface Backlog {
  /** How far leases have to be moved since the wall clock jumped. */
  readonly jump: number;
  readonly consumers: Consumers;
  readonly members: Members;
}

/** What goes before the calls of the same transaction: they see leases that end when they should. */
export function choresBefore(
  database: SqlSession,
  now: number,
  { jump, consumers, members }: Backlog,
): TransactionStep[] {
  const chores: (() => void)[] = [];
  if (jump > 0) {
    chores.push(() => {
      database.run(SHIFT_LEASES, { jump });
      database.run(SHIFT_RUN_LEASES, { jump });
      consumers.moved(jump);
    });
  }
  if (members.haveLeft) {
    chores.push(() => {
      for (const { namespace, queue } of members.settle(database, now)) consumers.queueReady(namespace, queue);
    });
  }
  const fail = (error: unknown): never => {
    throw error;
  };
  return chores.map((run) => ({ kind: "statement", run, fail }));
}
