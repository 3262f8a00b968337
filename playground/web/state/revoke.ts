import { currentSession } from "./session.ts";
import { TAB } from "./tab.ts";

/** Keeps a job from running, or stops it at its next checkpoint; also when no worker is there at this moment. */
export async function revoke(taskId: string): Promise<string> {
  const { revokeStore, broker } = currentSession();
  await revokeStore.upsertAll([
    {
      namespace: broker.namespace,
      taskId,
      // Microseconds, as the library counts versions: the latest wins.
      version: Date.now() * 1_000,
      issuedAt: new Date(),
      terminate: true,
      reason: "revoked in the playground",
      requestedBy: TAB,
      expiresAt: new Date(Date.now() + 86_400_000),
    },
  ]);
  return `Revoked ${taskId}`;
}
