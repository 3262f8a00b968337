import type { DatabaseHealth, OwnerHealth } from "../../../src/contracts/database-health.ts";
import { ENGINE_VERSION } from "../sql/engine.ts";
import type { Operation, OwnerFacts } from "./operation.ts";

/** What the owner knows of the database, as it is told; instants are epoch milliseconds. */
export interface HealthRow extends Omit<DatabaseHealth, "owner" | "origin"> {
  readonly owner: Omit<OwnerHealth, "since"> & { readonly since: number };
}

export const health: Operation<Readonly<Record<string, never>>, HealthRow> = {
  kind: "read",
  run(scope) {
    const facts = scope.ownerFacts();
    const version = scope.sql.get<{ version: string }>(ENGINE_VERSION)?.version ?? "";
    return {
      ...facts,
      survives: survives(facts),
      engine: { ...facts.engine, version },
      role: scope.member.remote ? "member" : "owner",
    };
  },
};

function survives({ storage, durability }: Pick<OwnerFacts, "storage" | "durability">): DatabaseHealth["survives"] {
  if (!storage.persistent) return "nothing";
  return durability === "full" ? "power-cut" : "process-crash";
}
