// Runs in a thread of its own. It succeeds at its second attempt, or never.
import type { TaskContext } from "stem-sqlite";

class StateError extends Error {
  override readonly name = "StateError";
}

/** The function of `demo.flaky`. */
export function flaky(
  context: TaskContext,
  { runId, forceFail }: { runId: string; forceFail: boolean },
): { runId: string; status: string } {
  const { id, attempt } = context;
  console.log(`[flaky] id=${id} attempt=${attempt} runId=${runId} forceFail=${forceFail}`);
  if (forceFail) throw new StateError(`Forced failure for runId=${runId}`);
  if (attempt < 1) {
    // Throws. The limits hold for the attempts that follow.
    context.retry({
      countdown: 300,
      retryPolicy: { backoff: true, defaultDelay: 200, jitter: true, maxRetries: 2 },
      maxRetries: 2,
      timeLimit: 6_000,
      softTimeLimit: 3_000,
    });
  }
  return { runId, status: "ok" };
}
